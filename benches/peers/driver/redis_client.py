"""As much of a Redis client as watching a queue takes."""

import socket


class RedisClient:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answers = self.socket.makefile("rb")

    def ask(self, *commands):
        """The answers to several commands, each a list of words, in one round trip."""
        self.socket.sendall(b"".join(encoded(words) for words in commands))
        return [self.answer() for _ in commands]

    def answer(self):
        line = self.answers.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:].decode()
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == "-1" else self.answers.read(int(rest) + 2)[:-2].decode(errors="replace")
        if kind == b"*":
            return [self.answer() for _ in range(int(rest))]
        raise OSError(f"Redis said {line!r}")

    def close(self):
        self.answers.close()
        self.socket.close()


def encoded(words):
    bulks = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(bulks) + b"".join(b"$%d\r\n%s\r\n" % (len(bulk), bulk) for bulk in bulks)
