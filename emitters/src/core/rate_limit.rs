//! `backend/app/core/rate_limit.py`: how often something may be tried.

use crate::core::client::{ClientDep, plain};
use crate::core::errors::{TooManyRequestsError, UnauthorizedError, UnavailableError};
use crate::core::settings::Settings;
use crate::python::builtins::{__name__, ValueError, dict, int, isinstance, max, str, tuple};
use crate::python::fastapi::{Depends, Request};
use crate::python::limits::{
    MemoryStorage, MovingWindowRateLimiter, RateLimitItem, RateLimitItemPerHour,
    RateLimitItemPerMinute, RedisStorage, StorageError,
};
use crate::python::standard::{
    Annotated, IPv6Address, IPv6Network, dataclass, ip_address, logging, math, sha256, time,
};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.rate_limit": logger, Zone, CREDENTIALS, CODES, MAILS, MANY, INVITATIONS, PENDING, BLOCK, RateLimiter,
        get_rate_limiter, RateLimiterDep, Attempts, AttemptsDep, Pending, PendingDep, bucket;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.core.rate_limit").docstring("How often something may be tried.").body(block![
        assign(logger, py!(logging.getLogger(__name__))),
        zone_class(),
        assign(CREDENTIALS, few("credentials")),
        assign(MAILS, few("mails")),
        spec.auth.has_totp().then(|| assign(CODES, few("codes"))),
        assign(MANY, py!((RateLimitItemPerMinute(30), RateLimitItemPerHour(120))))
            .comment("What one address may try on all accounts together."),
        assign(INVITATIONS, py!(Zone("invitations", (RateLimitItemPerHour(50),)))),
        assign(PENDING, py!(RateLimitItemPerMinute(60)))
            .comment("What an address may send that proves nothing."),
        assign(BLOCK, py!(RateLimitItemPerMinute(1, 15)))
            .comment("How long all is refused after there was too much."),
        rate_limiter_class(spec.jobs.has_workers()),
        get_rate_limiter_def(),
        assign(RateLimiterDep, py!(Annotated[(RateLimiter, Depends(get_rate_limiter))])),
        attempts_class(),
        assign(AttemptsDep, py!(Annotated[(Attempts, Depends(Attempts))])),
        pending_class(),
        assign(PendingDep, py!(Annotated[(Pending, Depends(Pending))])),
        bucket_def()
    ])
}

/// What is tried a few times by people, and often by programs that guess.
fn few(name: &str) -> Expr {
    py!(Zone(name, (RateLimitItemPerMinute(6), RateLimitItemPerHour(12))))
}

fn zone_class() -> ClassDef {
    names!(name, rates);
    class(Zone).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("Something that is tried, and how often it may be."),
        annotate(name, str),
        annotate(rates, py!(tuple[(RateLimitItem, ellipsis!())]))
    ])
}

fn rate_limiter_class(has_workers: bool) -> ClassDef {
    class(RateLimiter).body(block![
        docstring(if has_workers {
            "Counts what is tried: in Redis for all servers together, or in this process."
        } else {
            "Counts what is tried in this process."
        }),
        rate_limiter_init(has_workers),
        rate_limiter_spend(),
        rate_limiter_count(),
        rate_limiter_wait(),
        rate_limiter_seconds_left()
    ])
}

fn rate_limiter_init(has_workers: bool) -> FunctionDef {
    names!(settings, url, storage);
    let in_memory = py!(MemoryStorage(wrap_exceptions = true));
    let in_redis = py!(RedisStorage(
        f!("async+{}", url.get_secret_value()),
        wrap_exceptions = true,
        implementation = "redispy"
    ));
    let chosen = match has_workers {
        false => block![assign(storage, in_memory)],
        true => block![
            assign(url, py!(settings.redis_url)),
            ann_assign(storage, py!(MemoryStorage | RedisStorage), in_memory),
            if_(py!(url != None), [assign(storage, in_redis)])
        ],
    };
    def("__init__").params([untyped("self"), param(settings, Settings)]).returns(none()).body(
        block![
            docstring("Prepare to count."),
            assign(py!(self.is_on), py!(settings.rate_limiting)),
            chosen,
            assign(py!(self.storage), storage),
            assign(py!(self.windows), py!(MovingWindowRateLimiter(storage)))
        ],
    )
}

fn rate_limiter_spend() -> FunctionDef {
    names!(zone, keys, seconds, error);
    async_def("spend")
        .params([untyped("self"), param(zone, Zone), varargs(keys, str)])
        .returns(none())
        .body(block![
            docstring("Count an attempt at what is guarded; what cannot be counted is refused."),
            if_(py!(!self.is_on), [return_none()]),
            try_([assign(seconds, py!(self.wait(zone, *keys).await))]).except_as(
                StorageError,
                error,
                block![
                    do_(py!(logger.exception("Attempts cannot be counted"))),
                    raise_from(py!(UnavailableError("Try again in a moment.")), error)
                ]
            ),
            if_(
                py!(seconds > 0),
                [raise(py!(TooManyRequestsError(
                    "There were too many attempts.",
                    retry_after = seconds
                )))]
            )
        ])
}

fn rate_limiter_count() -> FunctionDef {
    names!(rate, keys, is_allowed, stats, seconds, headers);
    async_def("count")
        .params([untyped("self"), param(rate, RateLimitItem), varargs(keys, str)])
        .returns(py!(dict[(str, str)]))
        .body(block![
            docstring(
                "Count a request and return the headers that tell how many are left.\n\
                 \n\
                 While nothing can be counted, every request goes through."
            ),
            if_(py!(!self.is_on), [return_(py!(dict!()))]),
            try_(block![
                assign(is_allowed, py!(self.windows.hit(rate, *keys).await)),
                assign(stats, py!(self.windows.get_window_stats(rate, *keys).await))
            ])
            .except(
                StorageError,
                block![
                    do_(py!(logger.exception("Requests cannot be counted"))),
                    return_(py!(dict!()))
                ]
            ),
            assign(seconds, py!(max(1, math.ceil(stats.reset_time - time.time())))),
            assign(
                headers,
                py!(dict!(
                    "RateLimit-Limit" => str(rate.amount),
                    "RateLimit-Remaining" => str(stats.remaining),
                    "RateLimit-Reset" => str(seconds)
                ))
            ),
            if_(
                py!(!is_allowed),
                [raise(py!(TooManyRequestsError(
                    "There were too many requests.",
                    retry_after = seconds,
                    headers = headers
                )))]
            ),
            return_(headers)
        ])
}

fn rate_limiter_wait() -> FunctionDef {
    names!(zone, keys, rate);
    async_def("wait")
        .params([untyped("self"), param(zone, Zone), varargs(keys, str)])
        .returns(int)
        .body(block![
            docstring("Count an attempt and return for how many seconds there can be no other."),
            if_(
                py!(!self.windows.test(BLOCK, zone.name, *keys).await),
                [return_(py!(self.seconds_left(BLOCK, zone.name, *keys).await))]
            ),
            for_(
                rate,
                py!(zone.rates),
                [if_(
                    py!(!self.windows.hit(rate, zone.name, *keys).await),
                    block![
                        do_(py!(self.windows.hit(BLOCK, zone.name, *keys).await)),
                        return_(py!(self.seconds_left(BLOCK, zone.name, *keys).await))
                    ]
                )]
            ),
            return_(0)
        ])
}

fn rate_limiter_seconds_left() -> FunctionDef {
    names!(rate, keys, stats);
    async_def("seconds_left")
        .params([untyped("self"), param(rate, RateLimitItem), varargs(keys, str)])
        .returns(int)
        .body(block![
            docstring("Return after how many seconds a window is empty again."),
            assign(stats, py!(self.windows.get_window_stats(rate, *keys).await)),
            return_(py!(max(1, math.ceil(stats.reset_time - time.time()))))
        ])
}

fn get_rate_limiter_def() -> FunctionDef {
    names!(request, limiter);
    def(get_rate_limiter).params([param(request, Request)]).returns(RateLimiter).body(block![
        docstring("Return the rate limiter of the application."),
        ann_assign(limiter, RateLimiter, py!(request.app.state.rate_limiter)),
        return_(limiter)
    ])
}

fn attempts_class() -> ClassDef {
    names!(limiter, client, zone, account, key, sender, spray);
    class(Attempts).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("What one client tries on one account."),
        annotate(limiter, RateLimiterDep),
        annotate(client, ClientDep),
        async_def("spend")
            .params([untyped("self"), param(zone, Zone), param(account, str).default("")])
            .returns(none())
            .body(block![
                docstring(
                    "Count an attempt, or answer 429; no account is stored as it is.\n\
                     \n\
                     A new account brings no fresh budget: those of an address are counted too."
                ),
                assign(key, py!(sha256(account.encode()).hexdigest())),
                assign(sender, py!(bucket(self.client.ip_address))),
                assign(spray, py!(Zone(f!("{}-by-address", zone.name), MANY))),
                do_(py!(self.limiter.spend(spray, sender).await)),
                do_(py!(self.limiter.spend(zone, sender, key).await))
            ])
    ])
}

fn pending_class() -> ClassDef {
    names!(limiter, client, detail);
    class(Pending).decorator(py!(dataclass(frozen = true))).body(block![
        docstring(
            "Callers of whom nothing is known yet.\n\
             \n\
             All from one address are counted as one, whatever they call themselves."
        ),
        annotate(limiter, RateLimiterDep),
        annotate(client, ClientDep),
        async_def("refuse")
            .params([untyped("self"), param(detail, str)])
            .returns(UnauthorizedError)
            .body(block![
                docstring("Count what was no proof, and return the error; too much is 429."),
                do_(py!(self
                    .limiter
                    .count(PENDING, "pending", bucket(self.client.ip_address))
                    .await)),
                return_(py!(UnauthorizedError(detail)))
            ])
    ])
}

fn bucket_def() -> FunctionDef {
    names!(address, parsed);
    def(bucket).params([param(address, str)]).returns(str).body(block![
        docstring("Name the one behind an address: of IPv6, a customer has a whole /64."),
        assign(address, py!(plain(address))),
        try_([assign(parsed, py!(ip_address(address)))]).except(ValueError, [return_(address)]),
        if_(
            py!(isinstance(parsed, IPv6Address)),
            [return_(py!(str(IPv6Network((parsed, 64), strict = false))))]
        ),
        return_(address)
    ])
}
