"""Six MongoDB, four Memcached and three Redis containers."""

from .containers import memcached, mongo, redis

stores = [
    mongo("social-graph-mongodb", "social-graph-service"),
    redis("social-graph-redis", "social-graph-service"),
    redis("home-timeline-redis", "home-timeline-service"),
    memcached("post-storage-memcached", "post-storage-service"),
    mongo("post-storage-mongodb", "post-storage-service"),
    redis("user-timeline-redis", "user-timeline-service"),
    mongo("user-timeline-mongodb", "user-timeline-service"),
    memcached("url-shorten-memcached", "url-shorten-service"),
    mongo("url-shorten-mongodb", "url-shorten-service"),
    memcached("user-memcached", "user-service"),
    mongo("user-mongodb", "user-service"),
    memcached("media-memcached", "media-service"),
    mongo("media-mongodb", "media-service"),
]
