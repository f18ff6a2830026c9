"""Until when releases are supported: the table of rule TEC001, with its sources and its date.

Free support counts, as the makers publish it. To add a release, add its end; to hold the whole
table against the sources again, move :data:`CHECKED`.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

CHECKED = datetime.date(2026, 8, 22)
"""The day whose published ends these are (endoflife.date, and the sources of each product)."""
LONG, SHORT = datetime.timedelta(days=365), datetime.timedelta(days=180)
"""How long after that day a release counts as supported whose end nobody had announced then: a
table cannot know what was announced later. Short is for products whose every release ends another.
"""


@dataclass(frozen=True)
class Support:
    """The releases of a product, and where their ends are published."""

    source: str
    releases: str
    """Release and end, in pairs; ``-``: no end was announced."""
    known_for: datetime.timedelta = LONG
    """How long what has no end counts as supported."""

    @property
    def ends(self) -> Mapping[str, datetime.date | None]:
        """Release to the last day of its support; ``None``: none was announced."""
        words = self.releases.split()
        ends = (None if end == "-" else datetime.date.fromisoformat(end) for end in words[1::2])
        return dict(zip(words[::2], ends, strict=True))


_SPRING_BOOT = Support(
    "spring.io: Spring Boot, Support",
    """
    1.5 2019-08-06  2.0 2019-03-01  2.1 2019-10-30  2.2 2020-10-16  2.3 2021-05-20
    2.4 2021-11-18  2.5 2022-05-19  2.6 2022-11-24  2.7 2023-06-30  3.0 2023-12-31
    3.1 2024-06-30  3.2 2024-12-31  3.3 2025-06-30  3.4 2025-12-31  3.5 2026-06-30
    4.0 2026-12-31  4.1 2027-07-31
    """,
)

SUPPORT: Mapping[str, Support] = {
    "Spring Boot": _SPRING_BOOT,
    "Spring WebFlux": _SPRING_BOOT,
    "ASP.NET Core": Support(
        "microsoft.com: .NET Support Policy",
        """
        1.0 2019-06-27  1.1 2019-06-27  2.0 2018-10-01  2.1 2021-08-21  2.2 2019-12-23
        3.0 2020-03-03  3.1 2022-12-13  5 2022-05-10  6 2024-11-12  7 2024-05-14  8 2026-11-10
        9 2026-11-10  10 2028-11-14
        """,
    ),
    "Micronaut": Support(
        "micronaut.io: Support Schedule",
        """
        1 2021-12-31  2 2023-03-01  3 -  4 -  5 -
        """,
    ),
    "Quarkus": Support(
        "quarkus.io: Releases",
        """
        0 2019-11-25  1 2021-06-23  2.0 2021-07-22  2.1 2021-08-26  2.2 2021-12-21  2.3 2021-10-20
        2.4 2021-11-17  2.5 2021-12-17  2.6 2022-01-26  2.7 2022-05-30  2.8 2022-05-06
        2.9 2022-06-15  2.10 2022-07-26  2.11 2022-08-24  2.12 2022-09-21  2.13 2022-11-07
        2.14 2022-12-14  2.15 2023-01-25  2.16 2023-10-31  3.0 2023-05-31  3.1 2023-07-05
        3.2 2024-07-05  3.3 2023-09-20  3.4 2023-10-25  3.5 2023-11-29  3.6 2024-01-31
        3.7 2024-02-28  3.8 2025-02-28  3.9 2024-04-30  3.10 2024-05-29  3.11 2024-06-26
        3.12 2024-07-31  3.13 2024-08-28  3.14 2024-09-25  3.15 2025-09-25  3.16 2024-11-27
        3.17 2025-01-29  3.18 2025-02-26  3.19 2025-03-28  3.20 2026-03-28  3.21 2025-04-30
        3.22 2025-05-28  3.23 2025-06-25  3.24 2025-07-30  3.25 2025-08-28  3.26 2025-09-24
        3.27 2026-09-24  3.28 2025-10-29  3.29 2025-11-26  3.30 2026-01-28  3.31 2026-02-26
        3.32 2026-03-25  3.33 2027-03-25  3.34 2026-05-01  3.35 2026-05-27  3.36 2026-06-24
        3.37 2026-07-29
        """,
    ),
    "Node.js": Support(
        "nodejs.org: Releases",
        """
        6 2019-04-30  8 2019-12-31  9 2018-06-30  10 2021-04-30  11 2019-06-30  12 2022-04-30
        13 2020-06-01  14 2023-04-30  15 2021-06-01  16 2023-09-11  17 2022-06-01  18 2025-04-30
        19 2023-06-01  20 2026-04-30  21 2024-06-01  22 2027-04-30  23 2025-06-01  24 2028-04-30
        25 2026-06-01  26 2029-04-30
        """,
    ),
    "Go": Support(
        "go.dev: Release Policy (the last two releases)",
        """
        1.10 2019-02-25  1.11 2019-09-03  1.12 2020-02-25  1.13 2020-08-11  1.14 2021-02-16
        1.15 2021-08-16  1.16 2022-03-15  1.17 2022-08-02  1.18 2023-02-01  1.19 2023-09-06
        1.20 2024-02-06  1.21 2024-08-13  1.22 2025-02-11  1.23 2025-08-12  1.24 2026-02-10
        1.25 2026-08-19  1.26 -  1.27 -
        """,
        SHORT,
    ),
    "Django": Support(
        "djangoproject.com: Supported Versions",
        """
        1.11 2020-04-01  2.0 2019-04-01  2.1 2019-12-02  2.2 2022-04-11
        3.0 2021-04-06  3.1 2021-12-07  3.2 2024-04-01  4.0 2023-04-01  4.1 2023-12-01
        4.2 2026-04-07  5.0 2025-04-02  5.1 2025-12-03  5.2 2028-04-30  6.0 2027-04-30
        6.1 2027-12-31
        """,
    ),
    "Rails": Support(
        "rubyonrails.org: Maintenance Policy",
        """
        5.1 2019-08-25  5.2 2022-06-01  6.0 2023-06-01  6.1 2024-10-01  7.0 2025-04-01
        7.1 2025-10-01  7.2 2026-08-09  8.0 2026-11-07  8.1 2027-10-10
        """,
    ),
    "PHP-FPM": Support(
        "php.net: Supported Versions",
        """
        5.6 2018-12-31  7.0 2019-01-10  7.1 2019-12-01  7.2 2020-11-30  7.3 2021-12-06
        7.4 2022-11-28  8.0 2023-11-26  8.1 2025-12-31  8.2 2026-12-31  8.3 2027-12-31
        8.4 2028-12-31  8.5 2029-12-31
        """,
    ),
    "Envoy": Support(
        "envoyproxy.io: Release Schedule",
        """
        1.5 2018-03-20  1.6 2018-06-21  1.7 2018-10-04  1.8 2018-12-20  1.9 2019-04-05
        1.10 2019-07-11  1.11 2019-10-31  1.12 2020-10-31  1.13 2021-01-20  1.14 2021-04-08
        1.15 2021-07-07  1.16 2021-10-08  1.17 2022-01-11  1.18 2022-04-15  1.19 2022-07-13
        1.20 2022-10-05  1.21 2023-01-12  1.22 2023-04-15  1.23 2023-07-15  1.24 2023-10-19
        1.25 2024-01-18  1.26 2024-04-18  1.27 2024-07-27  1.28 2024-10-19  1.29 2025-01-16
        1.30 2025-04-16  1.31 2025-07-19  1.32 2025-10-15  1.33 2026-01-14  1.34 2026-04-15
        1.35 2026-07-23  1.36 2026-10-14  1.37 2027-01-13  1.38 2027-04-23  1.39 2027-07-14
        """,
    ),
    "nginx": Support(
        "nginx.org: download (mainline and stable)",
        """
        1.14 2019-04-23  1.16 2020-04-20  1.18 2021-04-20  1.19 2021-05-25  1.20 2022-05-24
        1.21 2022-06-21  1.22 2023-04-11  1.23 2023-05-23  1.24 2024-04-23  1.25 2024-05-29
        1.26 2025-04-23  1.27 2025-06-24  1.28 2026-04-14  1.29 2026-05-13  1.30 -  1.31 -
        """,
        SHORT,
    ),
    "MySQL": Support(
        "mysql.com: Lifetime Support Policy",
        """
        5.5 2018-12-31  5.6 2021-02-28  5.7 2023-10-31  8.0 2026-04-30  8.1 2023-10-25
        8.2 2023-12-14  8.3 2024-04-10  8.4 2032-04-30  9.0 2024-10-15  9.1 2025-01-21
        9.2 2025-04-15  9.3 2025-07-22  9.4 2025-10-21  9.5 2026-01-20  9.6 2026-04-21
        9.7 2034-04-21
        """,
    ),
    "MariaDB": Support(
        "mariadb.org: Maintenance Policy",
        """
        5.5 2020-04-11  10.0 2019-03-31  10.1 2020-10-17  10.2 2022-05-23  10.3 2023-05-25
        10.4 2024-06-18  10.5 2025-06-24  10.6 2026-07-06  10.7 2023-02-09  10.8 2023-05-20
        10.9 2023-08-22  10.10 2023-11-17  10.11 2028-02-16  11.0 2024-06-06  11.1 2024-08-21
        11.2 2024-11-21  11.3 2024-05-29  11.4 2029-05-29  11.5 2024-11-21  11.6 2025-02-13
        11.7 2025-05-12  11.8 2028-06-04  12.0 2025-11-18  12.1 2026-02-13  12.2 2026-05-28
        12.3 2029-06-12
        """,
    ),
    "PostgreSQL": Support(
        "postgresql.org: Versioning Policy",
        """
        9.3 2018-11-08  9.4 2020-02-13  9.5 2021-02-11  9.6 2021-11-11  10 2022-11-10
        11 2023-11-09  12 2024-11-21  13 2025-11-13  14 2026-11-12  15 2027-11-11  16 2028-11-09
        17 2029-11-08  18 2030-11-14
        """,
    ),
    "MongoDB": Support(
        "mongodb.com: Support Policy",
        """
        3.2 2018-09-30  3.4 2020-01-31  3.6 2021-04-30  4.0 2022-04-30
        4.2 2023-04-30  4.4 2024-02-29  5.0 2024-10-31  5.1 2022-01-19  5.2 2022-03-23
        5.3 2022-07-19  6.0 2025-07-31  6.1 2023-02-09  6.2 2023-04-24  6.3 2023-08-31
        7.0 2027-08-31  7.1 2024-01-23  7.2 2024-03-27  7.3 2024-10-02  8.0 2029-10-31
        8.1 2025-09-30  8.2 2026-07-31  8.3 2029-10-31
        """,
    ),
    "Cassandra": Support(
        "cassandra.apache.org: Download",
        """
        3.0 2024-09-05  3.11 2024-09-05  4.0 -  4.1 -  5.0 -
        """,
    ),
    # Of 8, the releases before 8.16 are not in the sources any more.
    "Elasticsearch": Support(
        "elastic.co: Product End of Life Dates",
        """
        6 2022-02-10  7 2026-01-15  8.16 2025-04-15  8.17 2025-08-12  8.18 2025-10-21
        8.19 2027-07-15  9.0 2025-10-23  9.1 2026-02-03  9.2 2026-05-05  9.3 2026-08-04  9.4 -
        9.5 -
        """,
        SHORT,
    ),
    "OpenSearch": Support(
        "opensearch.org: Release Schedule and Maintenance Policy",
        """
        1 2025-05-06  2 -  3 -
        """,
    ),
    "Redis": Support(
        "redis.io: Redis Open Source release cycle",
        """
        5.0 2022-04-27  6.0 2022-05-31  6.2 2027-04-01  7.0 2024-07-29  7.2 2029-12-01
        7.4 2029-12-01  8.0 2026-12-01  8.2 2030-09-01  8.4 -  8.6 -  8.8 -  8.10 -
        """,
        SHORT,
    ),
    "Valkey": Support(
        "valkey.io: Releases and versioning",
        """
        7.2 2029-04-16  8.0 2027-09-15  8.1 2030-03-31  9.0 2028-10-21  9.1 -
        """,
    ),
    "Memcached": Support(
        "memcached.org: ReleaseNotes",
        """
        1.5 2020-03-09  1.6 -
        """,
    ),
    # 3.9 is maintained beyond the third release after it, as the last one before 4. When 4.1 ended,
    # with 4.4, is known to the month.
    "Kafka": Support(
        "kafka.apache.org: Release Plan (the last three minor releases)",
        """
        0.10 2018-07-02  0.11 2018-07-02  1.0 2018-07-08  1.1 2018-07-30  2.0 2018-11-20
        2.1 2019-03-22  2.2 2019-12-01  2.3 2019-12-16  2.4 2020-04-15  2.5 2020-08-10
        2.6 2021-11-15  2.7 2021-11-15  2.8 2022-09-19  3.0 2022-10-03  3.1 2023-02-07
        3.2 2023-06-15  3.3 2023-10-10  3.4 2024-02-27  3.5 2024-07-29  3.6 2024-11-06
        3.7 2025-03-18  3.8 2025-09-02  3.9 -  4.0 2026-05-20  4.1 2026-11-22  4.2 -  4.3 -  4.4 -
        """,
        SHORT,
    ),
    "RabbitMQ": Support(
        "rabbitmq.com: Release Information (community support)",
        """
        3.7 2020-09-30  3.8 2022-07-31  3.9 2023-01-31  3.10 2022-09-28  3.11 2023-06-01
        3.12 2024-02-21  3.13 2024-09-17  4.0 2025-04-15  4.1 2026-01-30  4.2 2026-07-31  4.3 -
        """,
        SHORT,
    ),
    "Pulsar": Support(
        "pulsar.apache.org: Release Policy",
        """
        2.5 2021-01-15  2.6 2021-06-17  2.7 2021-12-03  2.8 2022-06-15  2.9 2022-12-20
        2.10 2023-04-18  2.11 2024-01-11  3.0 2025-05-02  3.1 2024-02-10  3.2 2024-08-05
        3.3 2024-12-05  4.0 2026-10-21  4.1 2026-03-08  4.2 2026-09-24
        """,
    ),
    # A toolkit without releases that end: there is one, and it is maintained.
    "Go kit": Support("github.com/go-kit/kit: releases", "0 -"),
}
"""Product to its releases."""
