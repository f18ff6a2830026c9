"""One of the services that the platform team looks after."""

from archcheck import NodeJs, Service, SpringBoot, Team

teams = [Team("team-orders", contact="#orders-on-call"), Team("team-web")]
orders = Service("orders", owner="team-orders", runtime=SpringBoot("4.1"))
web = Service("web", owner="team-web", runtime=NodeJs("22"))
