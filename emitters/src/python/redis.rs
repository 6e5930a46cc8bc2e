//! redis: the client of Redis.

astgen_pyast::vocabulary! {
    "redis": Redis;
    "redis.exceptions": RedisError;
}
