"""The thirteen services of the benchmark and what each asks of the others."""

from archcheck import (
    Cached,
    Call,
    Docker,
    Endpoint,
    Gateway,
    Http1,
    Jaeger,
    Nginx,
    Parallel,
    Read,
    Series,
    Tracing,
    Work,
    Write,
)
from archcheck.units import Fraction, ms, percent

from .containers import NOT_IN_COMPOSE, thrift, thrift_service

WORK = 0.5 * ms
"""Assumption: computing of a small Thrift handler."""
HIT: Fraction = 90 * percent
"""Assumption: hit ratio of each Memcached."""

jaeger = Jaeger("jaeger-agent")

unique_id = thrift_service(
    "unique-id-service",
    "posts",
    [Endpoint("ComposeUniqueId", thrift("UniqueIdService"), steps=[Work(WORK)])],
)
url_shorten = thrift_service(
    "url-shorten-service",
    "posts",
    [
        Endpoint(
            "ComposeUrls",
            thrift("UrlShortenService"),
            steps=[Work(WORK), Write("url-shorten-mongodb")],
        ),
        Endpoint(
            "GetExtendedUrls",
            thrift("UrlShortenService"),
            steps=[
                Work(WORK),
                Cached("url-shorten-memcached", [Read("url-shorten-mongodb")], hit_ratio=HIT),
            ],
        ),
    ],
)
user_mention = thrift_service(
    "user-mention-service",
    "posts",
    [
        Endpoint(
            "ComposeUserMentions",
            thrift("UserMentionService"),
            steps=[Work(WORK), Cached("user-memcached", [Read("user-mongodb")], hit_ratio=HIT)],
        )
    ],
)
text = thrift_service(
    "text-service",
    "posts",
    [
        Endpoint(
            "ComposeText",
            thrift("TextService"),
            steps=[
                Work(WORK),
                Parallel(
                    [
                        Call("url-shorten-service.ComposeUrls"),
                        Call("user-mention-service.ComposeUserMentions"),
                    ]
                ),
            ],
        )
    ],
)
media = thrift_service(
    "media-service",
    "media",
    [Endpoint("ComposeMedia", thrift("MediaService"), steps=[Work(WORK)])],
)
user = thrift_service(
    "user-service",
    "users",
    [
        Endpoint(
            "ComposeCreatorWithUserId", thrift("UserService"), steps=[Work(WORK)], idempotent=True
        ),
        Endpoint(
            "GetUserId",
            thrift("UserService"),
            steps=[Work(WORK), Cached("user-memcached", [Read("user-mongodb")], hit_ratio=HIT)],
            idempotent=True,
        ),
        Endpoint(
            "RegisterUser",
            thrift("UserService"),
            steps=[
                Work(WORK),
                Read("user-mongodb"),
                Write("user-mongodb"),
                Call("social-graph-service.InsertUser"),
            ],
        ),
    ],
)
social_graph = thrift_service(
    "social-graph-service",
    "users",
    [
        Endpoint(
            "GetFollowers",
            thrift("SocialGraphService"),
            steps=[
                Work(WORK),
                Cached("social-graph-redis", [Read("social-graph-mongodb")], hit_ratio=HIT),
            ],
            idempotent=True,
        ),
        Endpoint(
            "InsertUser",
            thrift("SocialGraphService"),
            steps=[Work(WORK), Write("social-graph-mongodb")],
        ),
        Endpoint(
            "FollowWithUsername",
            thrift("SocialGraphService"),
            steps=[
                Work(WORK),
                Parallel([Call("user-service.GetUserId"), Call("user-service.GetUserId")]),
                Parallel([Write("social-graph-mongodb"), Write("social-graph-redis")]),
            ],
        ),
    ],
)
post_storage = thrift_service(
    "post-storage-service",
    "posts",
    [
        Endpoint(
            "StorePost",
            thrift("PostStorageService"),
            steps=[Work(WORK), Write("post-storage-mongodb")],
        ),
        Endpoint(
            "ReadPosts",
            thrift("PostStorageService"),
            steps=[
                Work(WORK),
                Cached("post-storage-memcached", [Read("post-storage-mongodb")], hit_ratio=HIT),
            ],
            idempotent=True,
        ),
    ],
)
user_timeline = thrift_service(
    "user-timeline-service",
    "timelines",
    [
        Endpoint(
            "WriteUserTimeline",
            thrift("UserTimelineService"),
            steps=[Work(WORK), Write("user-timeline-mongodb"), Write("user-timeline-redis")],
        ),
        Endpoint(
            "ReadUserTimeline",
            thrift("UserTimelineService"),
            steps=[
                Work(WORK),
                Cached("user-timeline-redis", [Read("user-timeline-mongodb")], hit_ratio=HIT),
                Call("post-storage-service.ReadPosts"),
            ],
            idempotent=True,
        ),
    ],
)
home_timeline = thrift_service(
    "home-timeline-service",
    "timelines",
    [
        Endpoint(
            "WriteHomeTimeline",
            thrift("HomeTimelineService"),
            steps=[
                Work(WORK),
                Call("social-graph-service.GetFollowers"),
                Write("home-timeline-redis"),
            ],
        ),
        Endpoint(
            "ReadHomeTimeline",
            thrift("HomeTimelineService"),
            steps=[
                Work(WORK),
                Read("home-timeline-redis"),
                Call("post-storage-service.ReadPosts"),
            ],
            idempotent=True,
        ),
    ],
)
compose_post = thrift_service(
    "compose-post-service",
    "posts",
    [
        Endpoint(
            "ComposePost",
            thrift("ComposePostService"),
            steps=[
                Work(WORK),
                Parallel(
                    [
                        Call("text-service.ComposeText"),
                        Call("user-service.ComposeCreatorWithUserId"),
                        Call("media-service.ComposeMedia"),
                        Call("unique-id-service.ComposeUniqueId"),
                    ]
                ),
                Parallel(
                    [
                        Call("post-storage-service.StorePost"),
                        Call("user-timeline-service.WriteUserTimeline"),
                        Series([Call("home-timeline-service.WriteHomeTimeline")]),
                    ]
                ),
            ],
        )
    ],
)

nginx = Gateway(
    "nginx-thrift",
    boundary="edge",
    runtime=Nginx(),
    deployment=Docker(image="yg397/openresty-thrift:xenial", readiness=NOT_IN_COMPOSE),
    tracing=Tracing("jaeger-agent", propagation="jaeger"),
    metrics=NOT_IN_COMPOSE,
    start_after=["jaeger-agent"],
    endpoints=[
        Endpoint(
            name,
            Http1(method, path, encrypted=False, format="json"),
            public=True,
            steps=[Work(WORK), Call(target, blocking=False)],
        )
        for name, method, path, target in (
            ("compose", "POST", "/wrk2-api/post/compose", "compose-post-service.ComposePost"),
            (
                "home_timeline",
                "GET",
                "/wrk2-api/home-timeline/read",
                "home-timeline-service.ReadHomeTimeline",
            ),
            (
                "user_timeline",
                "GET",
                "/wrk2-api/user-timeline/read",
                "user-timeline-service.ReadUserTimeline",
            ),
            ("register", "POST", "/wrk2-api/user/register", "user-service.RegisterUser"),
            ("follow", "POST", "/wrk2-api/user/follow", "social-graph-service.FollowWithUsername"),
        )
    ],
)
media_frontend = Gateway(
    "media-frontend",
    boundary="media",
    runtime=Nginx(),
    deployment=Docker(image="yg397/media-frontend:xenial", readiness=NOT_IN_COMPOSE),
    tracing=Tracing("jaeger-agent", propagation="jaeger"),
    metrics=NOT_IN_COMPOSE,
    start_after=["jaeger-agent"],
    endpoints=[
        Endpoint(
            "get_media",
            Http1("GET", "/get-media", encrypted=False, format="bytes"),
            public=True,
            steps=[
                Work(WORK),
                Cached("media-memcached", [Read("media-mongodb", blocking=False)], hit_ratio=HIT),
            ],
        )
    ],
)
