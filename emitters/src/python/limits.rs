//! limits: windows that count.

astgen_pyast::vocabulary! {
    "limits": RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute, RateLimitItemPerSecond;
    "limits.aio.storage": MemoryStorage, RedisStorage;
    "limits.aio.storage.redis.redispy": RedispyBridge;
    "limits.aio.strategies": MovingWindowRateLimiter;
    "limits.errors": StorageError;
}
