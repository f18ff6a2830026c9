"""The web frontend: pages over HTTP, put together from gRPC calls one after the other."""

from archcheck import Call, Endpoint, Gateway, Go, Http1, Kubernetes, Probe, Repeat, Step, Work
from archcheck.units import ms

from . import assumptions as assumed
from .deployments import NOT_IN_MANIFESTS, REPOSITORY, SMALL


def page(name: str, method: str, path: str, *steps: Step) -> Endpoint:
    """An endpoint of the web site; it needs no login and gives every visitor a session."""
    return Endpoint(
        name,
        Http1(method, path, encrypted=False, format="text"),
        steps=steps,
        public=True,
        authentication="anonymous",
    )


def recommendations() -> list[Step]:
    """Ask for products, then fetch each."""
    return [
        Call("recommendationservice.ListRecommendations"),
        Repeat(assumed.RECOMMENDED, [Call("productcatalogservice.GetProduct")], per_item=True),
    ]


def advertisement() -> Call:
    """Errors are ignored: the page comes without an advertisement."""
    return Call("adservice.GetAds", timeout=100 * ms, optional=True)


frontend = Gateway(
    "frontend",
    boundary="web",
    runtime=Go(parallelism=1),
    deployment=Kubernetes(
        image=f"{REPOSITORY}/frontend:v0.10.6",
        resources=SMALL,
        readiness=Probe("http", "/_healthz"),
        liveness=Probe("http", "/_healthz"),
    ),
    metrics=NOT_IN_MANIFESTS,
    tracing=NOT_IN_MANIFESTS,
    endpoints=[
        page(
            "home",
            "GET",
            "/",
            Call("currencyservice.GetSupportedCurrencies"),
            Call("productcatalogservice.ListProducts"),
            Call("cartservice.GetCart"),
            Repeat(assumed.PRODUCTS, [Call("currencyservice.Convert")], per_item=True),
            advertisement(),
            Work(assumed.RENDER_PAGE),
        ),
        page("set_currency", "POST", "/setCurrency", Work(assumed.REDIRECT)),
        page(
            "product",
            "GET",
            "/product/{id}",
            Call("productcatalogservice.GetProduct"),
            Call("currencyservice.GetSupportedCurrencies"),
            Call("cartservice.GetCart"),
            Call("currencyservice.Convert"),
            *recommendations(),
            advertisement(),
            Work(assumed.RENDER_PAGE),
        ),
        page(
            "add_to_cart",
            "POST",
            "/cart",
            Call("productcatalogservice.GetProduct"),
            Call("cartservice.AddItem"),
            Work(assumed.REDIRECT),
        ),
        page(
            "view_cart",
            "GET",
            "/cart",
            Call("currencyservice.GetSupportedCurrencies"),
            Call("cartservice.GetCart"),
            *recommendations(),
            Call("shippingservice.GetQuote"),
            Call("currencyservice.Convert"),
            Repeat(
                assumed.ITEMS_IN_CART,
                [Call("productcatalogservice.GetProduct"), Call("currencyservice.Convert")],
                per_item=True,
            ),
            Work(assumed.RENDER_PAGE),
        ),
        page(
            "checkout",
            "POST",
            "/cart/checkout",
            Call("checkoutservice.PlaceOrder"),
            *recommendations(),
            Call("currencyservice.GetSupportedCurrencies"),
            Work(assumed.RENDER_PAGE),
        ),
    ],
)
