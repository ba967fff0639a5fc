"""moto's S3 and DynamoDB on a free port of loopback, one request at a time: with threads its conditions do not hold.

Prints the port. Ends when standard input does, so that it does not outlive whoever started it.
"""

import os
import sys
import threading

# Pages that a test can fill.
os.environ["MOTO_S3_DEFAULT_MAX_KEYS"] = "7"

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


def end_with_input():
    sys.stdin.read()
    os._exit(0)


def signed(application):
    """Signs requests that are not: moto checks no signature, but refuses whoever has none."""

    def answer(environ, start_response):
        # Only JSON services name what is asked for in a header.
        service = "dynamodb" if "HTTP_X_AMZ_TARGET" in environ else "s3"
        credential = f"sample/20260101/us-east-1/{service}/aws4_request"
        environ.setdefault(
            "HTTP_AUTHORIZATION",
            f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
        )
        return application(environ, start_response)

    return answer


s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket("org-logs", "us-east-1")
application = signed(DomainDispatcherApplication(create_backend_app))
server = make_server("127.0.0.1", 0, application, threaded=False)
threading.Thread(target=end_with_input, daemon=True).start()
print(server.port, flush=True)
server.serve_forever()
