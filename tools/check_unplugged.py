"""Exit with a message unless this machine has no way out: so a test without a network cannot pass with one."""

import errno
import socket
import sys

PUBLIC = ("192.0.2.1", 9)  # an address that is kept for documentation (RFC 5737): nobody is there to answer


def main() -> None:
    """A connection has to be refused here, by this machine; one that is let out times out instead."""
    try:
        socket.create_connection(PUBLIC, timeout=2).close()
    except OSError as error:
        if error.errno == errno.ENETUNREACH:
            return
        sys.exit(f"the network is still there: {error}")
    sys.exit("the network is still there")


if __name__ == "__main__":
    main()
