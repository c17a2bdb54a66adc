"""The client of ``openai``, opened for one address, with its faults as ours."""

import ssl
from collections.abc import Iterator

import httpx2  # what openai is built on
import openai

from llmops.errors import WorldError
from llmops.models.limits.told import retry_after_s
from llmops.models.protocol.address import Address
from llmops.models.protocol.exchange import CONNECT_S
from llmops.models.protocol.faults import read_error, tls_fault
from llmops.models.protocol.proxy import proxy_of
from llmops.models.specs import OPENAI_URL

Problem = WorldError | openai.APIError | httpx2.HTTPError

_UNREACHED = frozenset({"ConnectError", "ConnectTimeout", "ConnectionRefusedError", "gaierror"})


def open_client(address: Address, timeout_s: float) -> openai.AsyncOpenAI:
    """Return a client that neither tries again by itself nor follows a redirect.

    What its library reads of the environment beside the key is for OpenAI, and is sent to nobody else.

    Raises:
        UserError: the environment names a proxy that cannot be used.
    """
    client = openai.AsyncOpenAI(
        api_key=address.key,
        base_url=address.base_url,
        max_retries=0,  # what sends batches tries again, where each attempt is written down
        timeout=httpx2.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
        http_client=openai.DefaultAsyncHttpxClient(
            follow_redirects=False,
            proxy=proxy_of(address),
            verify=httpx2.create_ssl_context(),
            trust_env=False,  # it would be proxies alone: the certificates are read above
        ),
    )
    if address.base_url != OPENAI_URL:
        client.organization = client.project = None
        client._custom_headers = {}  # of OPENAI_CUSTOM_HEADERS, for which there is no argument
    return client


def fault_of(problem: Problem) -> WorldError:
    """Return what the client raised as the fault it is."""
    if isinstance(problem, WorldError):
        return problem
    if isinstance(problem, openai.APIStatusError):
        if problem.response.has_redirect_location:
            return WorldError("redirected", "redirects to another address", transient=False)
        fault = read_error(problem.status_code, problem.body)
        fault.retry_after_s = retry_after_s(problem.response.headers)
        return fault
    causes = list(_causes(problem))
    if {type(cause).__name__ for cause in causes} & _UNREACHED:
        if of_tls := next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None):
            return tls_fault(of_tls)
        return WorldError("unreachable", "no connection to the server", transient=True)
    if isinstance(problem, openai.APITimeoutError | httpx2.TimeoutException):
        return WorldError("timeout", "the server took too long", transient=True)
    name = type(problem).__name__
    return WorldError("connection", f"the connection broke off ({name})", transient=True)


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__
