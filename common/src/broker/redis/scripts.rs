//! The Lua scripts and how they are called.
//!
//! Each is atomic, touches the keys of one Cluster slot, reads all of its arguments before its first write, and may run
//! when Redis is out of memory: taking and settling are what makes room again. Only the enqueue is refused then.

use std::sync::LazyLock;

use redis::{Cmd, ToRedisArgs};

/// A script and the name Redis knows it by.
pub(super) struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    fn new(code: &'static str) -> Self {
        Self { code, hash: redis::Script::new(code).get_hash().to_owned() }
    }

    /// A call with its one key.
    pub(super) fn on(&self, key: &str) -> Call {
        self.sized(key, 0, 0)
    }

    /// A call with its one key, for about so many arguments of so many bytes together.
    pub(super) fn sized(&self, key: &str, arguments: usize, bytes: usize) -> Call {
        const HEAD: usize = 4; // command, name, number of keys, key
        const HEAD_BYTES: usize = 64;
        let mut cmd = Cmd::with_capacity(HEAD + arguments, HEAD_BYTES + key.len() + bytes);
        cmd.arg("EVALSHA").arg(&self.hash).arg(1).arg(key);
        Call(cmd)
    }

    /// Makes the script known.
    pub(super) fn load(&self) -> Cmd {
        let mut cmd = redis::cmd("SCRIPT");
        cmd.arg("LOAD").arg(self.code);
        cmd
    }
}

/// A script's call in the making.
pub(super) struct Call(Cmd);

impl Call {
    pub(super) fn arg(&mut self, arg: impl ToRedisArgs) -> &mut Self {
        self.0.arg(arg);
        self
    }

    pub(super) fn into_cmd(self) -> Cmd {
        self.0
    }
}

macro_rules! scripts {
    ($($name:ident = $flags:literal $(+ $file:literal)+;)+) => {$(
        pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!("#!lua", $flags, "\n", $(include_str!($file)),+)));
    )+};
}

scripts! {
    ENQUEUE = "" + "names.lua" + "enqueue.lua";
    TAKE = " flags=allow-oom" + "names.lua" + "take.lua" + "take_only.lua";
    SETTLE = " flags=allow-oom" + "names.lua" + "take.lua" + "settle.lua";
    RELEASE = " flags=allow-oom" + "names.lua" + "release.lua";
    RENEW = " flags=allow-oom" + "names.lua" + "renew.lua";
    REAP = " flags=allow-oom" + "names.lua" + "reap.lua";
    CENSUS = " flags=allow-oom" + "names.lua" + "census.lua";
    PAUSE = " flags=allow-oom" + "names.lua" + "pause.lua";
    DEAD_PAGE = " flags=allow-oom" + "names.lua" + "dead_page.lua";
    DEAD_RETRY = " flags=allow-oom" + "names.lua" + "dead_retry.lua";
    DEAD_PURGE = " flags=allow-oom" + "names.lua" + "dead_purge.lua";
    FSCK_BATCHES = " flags=allow-oom" + "names.lua" + "fsck_batches.lua";
    FSCK_LETTERS = " flags=allow-oom" + "names.lua" + "fsck_letters.lua";
    WRITE_OFF = " flags=allow-oom" + "names.lua" + "write_off.lua";
    SHARDS_HOLD = " flags=allow-oom" + "group.lua" + "shards_hold.lua";
    SHARDS_NUMBER = " flags=allow-oom" + "group.lua" + "shards_number.lua";
    SHARDS_RELEASE = " flags=allow-oom" + "group.lua" + "shards_release.lua";
    SHARDS_MAP = " flags=allow-oom" + "group.lua" + "shards_map.lua";
    ROSTER_APPEND = " flags=allow-oom" + "group.lua" + "roster_append.lua";
    ROSTER_SINCE = " flags=allow-oom" + "group.lua" + "roster_since.lua";
    ROSTER_COMPACT = " flags=allow-oom" + "group.lua" + "roster_compact.lua";
    EPOCH = " flags=allow-oom" + "epoch.lua";
    KNOW = " flags=allow-oom" + "know.lua";
    ANNOUNCE = " flags=allow-oom" + "announce.lua";
    DEPART = " flags=allow-oom" + "depart.lua";
    PRESENCES = " flags=allow-oom" + "presences.lua";
}
