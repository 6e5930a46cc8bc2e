//! `backend/app/core/rate_limit.py`: how often something may be tried.

use crate::core::client::{ClientDep, plain};
use crate::core::errors::{TooManyRequestsError, UnauthorizedError, UnavailableError};
use crate::core::settings::Settings;
use crate::python::builtins::{
    __name__, ValueError, dict, int, isinstance, list, max, min, property, str, tuple,
};
use crate::python::fastapi::{Depends, Request, Response};
use crate::python::limits::{
    MemoryStorage, MovingWindowRateLimiter, RateLimitItem, RateLimitItemPerHour,
    RateLimitItemPerMinute, RedisStorage, StorageError,
};
use crate::python::standard::{
    Annotated, IPv6Address, IPv6Network, UUID, dataclass, ip_address, logging, math, sha256, time,
};
use crate::spec::Spec;
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.rate_limit": logger, Zone, CREDENTIALS, RESETS, CODES, MAILS, Budget, tell, MANY, INVITATIONS, PENDING, BLOCK, RateLimiter,
        get_rate_limiter, RateLimiterDep, Attempts, AttemptsDep, Pending, PendingDep, bucket;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.core.rate_limit").docstring("How often something may be tried.").body(block![
        assign(logger, py!(logging.getLogger(__name__))),
        zone_class(),
        assign(CREDENTIALS, few("credentials")),
        assign(RESETS, few_of_account("resets")),
        assign(MAILS, few_of_account("mails")),
        spec.auth.has_totp().then(|| assign(CODES, few("codes"))),
        assign(MANY, py!((RateLimitItemPerMinute(30), RateLimitItemPerHour(120))))
            .comment("What one address may try on all accounts together."),
        assign(INVITATIONS, py!(Zone("invitations", (RateLimitItemPerHour(50),)))),
        assign(PENDING, py!(RateLimitItemPerMinute(60)))
            .comment("What an address may send that proves nothing."),
        assign(BLOCK, py!(RateLimitItemPerMinute(1, 15)))
            .comment("How long all is refused after there was too much."),
        budget_class(),
        rate_limiter_class(spec.jobs.has_workers()),
        tell_def(),
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

/// The same; and from however many addresses, there are not too many for one account.
///
/// Who asks from one address leaves some to the owner of the account. The links in mails live for an hour, so that the
/// last mail is of use to the owner even while there is no other.
fn few_of_account(name: &str) -> Expr {
    py!(Zone(
        name,
        (RateLimitItemPerMinute(6), RateLimitItemPerHour(12)),
        of_account = (RateLimitItemPerHour(20),)
    ))
}

fn zone_class() -> ClassDef {
    names!(name, rates, of_account);
    class(Zone).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("Something that is tried, and how often it may be."),
        annotate(name, str),
        annotate(rates, py!(tuple[(RateLimitItem, ellipsis!())])),
        ann_assign(of_account, py!(tuple[(RateLimitItem, ellipsis!())]), py!(()))
            .comment("How often on one account, by all addresses together.")
    ])
}

fn budget_class() -> ClassDef {
    names!(limit, remaining, seconds);
    class(Budget).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("What is left of what may be tried, and in how many seconds there is more."),
        annotate(limit, int),
        annotate(remaining, int),
        annotate(seconds, int),
        def("headers")
            .decorator(property)
            .params([untyped("self")])
            .returns(py!(dict[(str, str)]))
            .body(block![
                docstring("Tell it to the caller."),
                return_(py!(dict!(
                    "RateLimit-Limit" => str(self.limit),
                    "RateLimit-Remaining" => str(self.remaining),
                    "RateLimit-Reset" => str(self.seconds)
                )))
            ]),
        def("order")
            .decorator(property)
            .params([untyped("self")])
            .returns(py!(tuple[(int, int)]))
            .body(block![
                docstring("Order budgets such that the first is the one that runs out first."),
                return_(py!((self.remaining, -self.seconds)))
            ])
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
        rate_limiter_budget()
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
    names!(zone, keys, seconds, error, rate, left, blocked);
    async_def("spend")
        .params([untyped("self"), param(zone, Zone), varargs(keys, str)])
        .returns(py!(list[Budget]))
        .body(block![
            docstring(
                "Count an attempt at what is guarded, and return what is left.\n\
                 \n\
                 What cannot be counted is refused."
            ),
            if_(py!(!self.is_on), [return_(py!([]))]),
            try_(block![
                assign(seconds, py!(self.wait(zone, *keys).await)),
                assign(
                    left,
                    py!(list!(
                        self.budget(rate, zone.name, *keys).await for rate in zone.rates
                    ))
                )
            ])
            .except_as(
                StorageError,
                error,
                block![
                    do_(py!(logger.exception("Attempts cannot be counted"))),
                    raise_from(py!(UnavailableError("Try again in a moment.")), error)
                ]
            ),
            if_(
                py!(seconds > 0),
                block![
                    assign(blocked, py!(Budget(zone.rates[0].amount, 0, seconds))),
                    raise(py!(TooManyRequestsError(
                        "There were too many attempts.",
                        retry_after = seconds,
                        headers = blocked.headers
                    )))
                ]
            ),
            return_(left)
        ])
}

fn rate_limiter_count() -> FunctionDef {
    names!(rate, keys, is_allowed, left);
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
                assign(left, py!(self.budget(rate, *keys).await))
            ])
            .except(
                StorageError,
                block![
                    do_(py!(logger.exception("Requests cannot be counted"))),
                    return_(py!(dict!()))
                ]
            ),
            if_(
                py!(!is_allowed),
                [raise(py!(TooManyRequestsError(
                    "There were too many requests.",
                    retry_after = left.seconds,
                    headers = left.headers
                )))]
            ),
            return_(py!(left.headers))
        ])
}

fn rate_limiter_wait() -> FunctionDef {
    names!(zone, keys, rate);
    let block = py!(self.budget(BLOCK, zone.name, *keys).await.seconds);
    async_def("wait")
        .params([untyped("self"), param(zone, Zone), varargs(keys, str)])
        .returns(int)
        .body(block![
            docstring("Count an attempt and return for how many seconds there can be no other."),
            if_(py!(!self.windows.test(BLOCK, zone.name, *keys).await), [return_(block.clone())]),
            for_(
                rate,
                py!(zone.rates),
                [if_(
                    py!(!self.windows.hit(rate, zone.name, *keys).await),
                    block![
                        do_(py!(self.windows.hit(BLOCK, zone.name, *keys).await)),
                        return_(block)
                    ]
                )]
            ),
            return_(0)
        ])
}

fn rate_limiter_budget() -> FunctionDef {
    names!(rate, keys, stats, seconds);
    async_def("budget")
        .params([untyped("self"), param(rate, RateLimitItem), varargs(keys, str)])
        .returns(Budget)
        .body(block![
            docstring("Return what is left in a window."),
            assign(stats, py!(self.windows.get_window_stats(rate, *keys).await)),
            assign(seconds, py!(max(1, math.ceil(stats.reset_time - time.time())))),
            return_(py!(Budget(rate.amount, stats.remaining, seconds)))
        ])
}

fn tell_def() -> FunctionDef {
    names!(request, response, headers);
    def(tell)
        .params([
            param(request, Request),
            param(response, Response),
            param(headers, py!(dict[(str, str)])),
        ])
        .returns(none())
        .body(block![
            docstring("Send headers with the answer, be it an error or not."),
            do_(py!(response.headers.update(headers))),
            assign(py!(request.state.counted), headers)
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
    names!(request, response, limiter, client);
    class(Attempts).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("What one client tries, on an account or as a caller who is known."),
        annotate(request, Request),
        annotate(response, Response),
        annotate(limiter, RateLimiterDep),
        annotate(client, ClientDep),
        spend_def(),
        spend_as_def(),
        tell_left_def()
    ])
}

fn spend_def() -> FunctionDef {
    names!(zone, accounts, account, key, sender, spray, flood, left);
    let spent_on_account = py!(self.limiter.spend(zone, sender, key).await);
    async_def("spend")
        .params([untyped("self"), param(zone, Zone), varargs(accounts, str)])
        .returns(none())
        .body(block![
            docstring(
                "Count an attempt, or answer 429; no account is stored as it is.\n\
                 \n\
                 A new account brings no fresh budget, and a new address none for an account\n\
                 that others try. The answer tells what is left to this address only."
            ),
            assign(sender, py!(bucket(self.client.ip_address))),
            assign(spray, py!(Zone(f!("{}-by-address", zone.name), MANY))),
            assign(left, py!(self.limiter.spend(spray, sender).await)),
            for_(
                account,
                py!(accounts || ("",)),
                block![
                    assign(key, py!(sha256(account.encode()).hexdigest())),
                    aug_assign(left, Operator::Add, spent_on_account),
                    if_(
                        py!(account && zone.of_account),
                        block![
                            assign(
                                flood,
                                py!(Zone(f!("{}-of-account", zone.name), zone.of_account))
                            ),
                            do_(py!(self.limiter.spend(flood, key).await))
                        ]
                    )
                ]
            ),
            do_(py!(self.tell(left)))
        ])
}

fn spend_as_def() -> FunctionDef {
    names!(zone, caller_id);
    async_def("spend_as")
        .params([untyped("self"), param(zone, Zone), param(caller_id, UUID)])
        .returns(none())
        .body(block![
            docstring("Count what a known caller does, from whatever address, or answer 429."),
            do_(py!(self.tell(self.limiter.spend(zone, str(caller_id)).await)))
        ])
}

fn tell_left_def() -> FunctionDef {
    names!(left, budget, tightest);
    let order = make::lambda([budget], py!(budget.order));
    def("tell").params([untyped("self"), param(left, py!(list[Budget]))]).returns(none()).body(
        block![
            docstring("Tell the caller what is left of what runs out first."),
            if_(
                left,
                block![
                    assign(tightest, py!(min(left, key = { order }))),
                    do_(py!(tell(self.request, self.response, tightest.headers)))
                ]
            )
        ],
    )
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
