/* a shop
   of books */
workspace "Bookshop" "Sells books" {
    !identifiers hierarchical
    !const ORG "Books Ltd"
    !var KIND "Spring Boot"

    model {
        properties {
            structurizr.groupSeparator "/"
        }
        archetypes {
            store = container {
                technology "PostgreSQL 14"
                tags "Store"
                properties {
                    team "data"
                }
            }
            sync = -> {
                technology "JSON/HTTPS"
                tags "Sync"
            }
        }
        reader = person "Reader" "Buys books"
        group "${ORG}" {
            group "Sales" {
                shop = softwareSystem "Shop" {
                    web = container "Web" "" "Java and ${KIND} 3.2" "Front, Public" {
                        description """
                            Shows "books"
                            to readers
                        """
                        url https://shop.example/docs
                        basket = component "Basket" "Keeps \"what is wanted\"" "Java"
                        prices = component "Prices"
                        basket -> prices "Asks"
                        perspectives {
                            Security "Behind a firewall" "high"
                            perspective "Cost" {
                                value "low"
                            }
                        }
                        properties {
                            owner "team-web"
                            cost "10"
                        }
                    }
                    books = store "Books"
                    queue = container "Orders" "" "Kafka topic"
                    web.basket -> books "Reads" \
                        "JDBC"
                }
            }
        }
        bank = softwareSystem "Bank" "" "External"
        van = element "Van" "car" "Brings books"

        reader -> shop.web "Orders books"
        shop.web --sync-> bank "Takes money"
        paid = shop.web.prices -> shop.queue "Tells" {
            tags "Async"
        }
        !relationship paid {
            properties {
                topic "orders"
            }
        }
        !elements "element.type==container" {
            tags "Ours"
        }
        live = deploymentEnvironment "Live" {
            one = deploymentGroup "One"
            c = deploymentNode "Cluster" "" "Kubernetes" "" 3 {
                a = deploymentNode "Node" {
                    containerInstance shop.web one
                    lb = infrastructureNode "Balancer"
                    instances 2
                }
                db = containerInstance shop.books one {
                    healthCheck "ping" "https://db.example/" 60 100
                }
            }
            shop.web -/> shop.books {
                shop.web -> c.a.lb
            }
        }
    }
    views {
        systemContext shop "context" {
            include *
            autolayout lr
        }
        dynamic shop {
            1: reader -> shop.web "Orders"
            {
                shop.web -> bank
            }
        }
        styles {
            element "Store" {
                shape cylinder
            }
        }
        theme default
    }
    configuration {
        scope softwaresystem
        users {
            a@b.example read
        }
    }
}
