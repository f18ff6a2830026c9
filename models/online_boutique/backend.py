"""The services behind the frontend, and the cart's Redis."""

from archcheck import (
    AspNetCore,
    Call,
    Endpoint,
    Go,
    JavaGrpc,
    Kubernetes,
    NodeJs,
    Probe,
    PythonGrpc,
    Read,
    Redis,
    Repeat,
    Volume,
    Work,
    Write,
)
from archcheck.units import MiB

from . import assumptions as assumed
from .deployments import contract, grpc_service, resources

product_catalogue = grpc_service(
    "productcatalogservice",
    boundary="catalogue",
    runtime=Go(parallelism=1),
    endpoints=[
        Endpoint(
            name,
            contract("ProductCatalogService"),
            steps=[Work(assumed.CATALOGUE_LOOKUP)],
            idempotent=True,
        )
        for name in ("ListProducts", "GetProduct", "SearchProducts")
    ],
)

currency = grpc_service(
    "currencyservice",
    boundary="checkout",
    runtime=NodeJs(),
    endpoints=[
        Endpoint(name, contract("CurrencyService"), steps=[Work(assumed.CURRENCY)], idempotent=True)
        for name in ("GetSupportedCurrencies", "Convert")
    ],
)

redis_cart = Redis(
    "redis-cart",
    belongs_to="cartservice",
    role="store",
    copies=1,
    read=assumed.REDIS_QUERY,
    write=assumed.REDIS_QUERY,
    deployment=Kubernetes(
        image="redis:alpine",
        replicas=1,
        resources=resources(70, 125, 200 * MiB, 256 * MiB),
        readiness=Probe("tcp"),
        liveness=Probe("tcp"),
        volumes=[Volume("redis-data", durable=False)],
    ),
    volumes=[Volume("redis-data", durable=False)],
)

cart = grpc_service(
    "cartservice",
    boundary="cart",
    runtime=AspNetCore(parallelism=1),
    resources=resources(200, 300, 64 * MiB, 128 * MiB),
    endpoints=[
        Endpoint(
            "AddItem",
            contract("CartService"),
            steps=[Work(assumed.CART), Read("redis-cart"), Write("redis-cart")],
        ),
        Endpoint(
            "GetCart",
            contract("CartService"),
            steps=[Work(assumed.CART), Read("redis-cart")],
            idempotent=True,
        ),
        Endpoint(
            "EmptyCart",
            contract("CartService"),
            steps=[Work(assumed.CART), Write("redis-cart")],
            idempotent=True,
        ),
    ],
)

recommendation = grpc_service(
    "recommendationservice",
    boundary="catalogue",
    runtime=PythonGrpc(threads=10),
    resources=resources(100, 200, 220 * MiB, 450 * MiB),
    endpoints=[
        Endpoint(
            "ListRecommendations",
            contract("RecommendationService"),
            steps=[Work(assumed.RECOMMEND), Call("productcatalogservice.ListProducts")],
            idempotent=True,
        )
    ],
)

ads = grpc_service(
    "adservice",
    boundary="ads",
    runtime=JavaGrpc(threads=10),
    resources=resources(200, 300, 180 * MiB, 300 * MiB),
    endpoints=[
        Endpoint("GetAds", contract("AdService"), steps=[Work(assumed.ADS)], idempotent=True)
    ],
)

shipping = grpc_service(
    "shippingservice",
    boundary="checkout",
    runtime=Go(parallelism=1),
    grace=None,
    endpoints=[
        Endpoint(
            "GetQuote", contract("ShippingService"), steps=[Work(assumed.SHIPPING)], idempotent=True
        ),
        Endpoint("ShipOrder", contract("ShippingService"), steps=[Work(assumed.SHIPPING)]),
    ],
)

payment = grpc_service(
    "paymentservice",
    boundary="checkout",
    runtime=NodeJs(),
    endpoints=[Endpoint("Charge", contract("PaymentService"), steps=[Work(assumed.PAYMENT)])],
)

email = grpc_service(
    "emailservice",
    boundary="checkout",
    runtime=PythonGrpc(threads=10),
    endpoints=[
        Endpoint("SendOrderConfirmation", contract("EmailService"), steps=[Work(assumed.EMAIL)])
    ],
)

checkout = grpc_service(
    "checkoutservice",
    boundary="checkout",
    runtime=Go(parallelism=1),
    grace=None,
    endpoints=[
        Endpoint(
            "PlaceOrder",
            contract("CheckoutService"),
            steps=[
                Work(assumed.PLACE_ORDER),
                Call("cartservice.GetCart"),
                Repeat(
                    assumed.ITEMS_IN_CART,
                    [Call("productcatalogservice.GetProduct"), Call("currencyservice.Convert")],
                    per_item=True,
                ),
                Call("shippingservice.GetQuote"),
                Call("currencyservice.Convert"),
                Call("paymentservice.Charge"),
                Call("shippingservice.ShipOrder"),
                Call("cartservice.EmptyCart", optional=True),
                Call("emailservice.SendOrderConfirmation", optional=True, result_used=False),
            ],
        )
    ],
)
