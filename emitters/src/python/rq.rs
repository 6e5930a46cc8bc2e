//! RQ: the queue of jobs.

astgen_pyast::vocabulary! {
    "rq": Queue, Worker;
    "rq.command": send_kill_horse_command;
    "rq.exceptions": DuplicateJobError;
    "rq.serializers": JSONSerializer;
}
