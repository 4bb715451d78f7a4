"""A JupyterHub for a class on one machine:  jupyterhub -f jupyterhub_config.py

Needs, in the environment of the hub: pip install 'vmalab[hub]', and npm install -g configurable-http-proxy.
Sign-in is the LMS's by LTI 1.3 where its four addresses are given as environment variables (README.md says how to
find them); otherwise it is that of this machine's own users.
"""

import os
import re
import sys
from hashlib import sha256

from jupyterhub.auth import LocalAuthenticator

c = get_config()  # noqa: F821

# --- who signs in ---

LTI = {
    "client_id": "LTI13_CLIENT_ID",
    "issuer": "LTI13_ISSUER",
    "authorize_url": "LTI13_AUTHORIZE_URL",
    "jwks_endpoint": "LTI13_JWKS_ENDPOINT",
}
missing = [name for name in LTI.values() if not os.environ.get(name)]
if 0 < len(missing) < len(LTI):
    raise SystemExit(f"LTI 1.3 needs all of {', '.join(LTI.values())}: there is no {', '.join(missing)}")

if not missing:
    from ltiauthenticator.lti13.auth import LTI13Authenticator

    class LMSAuthenticator(LocalAuthenticator, LTI13Authenticator):
        """Who comes from the LMS is a user of this machine, made when he comes for the first time."""

        def normalize_username(self, username):
            """A name that a user of Linux may have; two people never share one, however alike their addresses are."""
            if re.fullmatch("vml-[a-z0-9-]{1,12}-[0-9a-f]{10}", username):
                return username
            start = re.sub("[^a-z0-9]+", "-", username.partition("@")[0].lower()).strip("-")[:12].strip("-")
            return f"vml-{start or 'user'}-{sha256(username.lower().encode()).hexdigest()[:10]}"

    c.JupyterHub.authenticator_class = LMSAuthenticator
    c.LMSAuthenticator.client_id = {os.environ["LTI13_CLIENT_ID"]}
    c.LMSAuthenticator.issuer = os.environ["LTI13_ISSUER"]
    c.LMSAuthenticator.authorize_url = os.environ["LTI13_AUTHORIZE_URL"]
    c.LMSAuthenticator.jwks_endpoint = os.environ["LTI13_JWKS_ENDPOINT"]
    c.LMSAuthenticator.username_key = "email"
    c.LMSAuthenticator.create_system_users = True
    c.LMSAuthenticator.add_user_cmd = ["useradd", "--create-home", "--shell", "/bin/bash"]
    c.Authenticator.allow_all = True  # whom the LMS sends, takes part in the course
    c.JupyterHub.tornado_settings = {
        "headers": {"Content-Security-Policy": f"frame-ancestors 'self' {os.environ['LTI13_ISSUER']}"}
    }
else:
    c.JupyterHub.authenticator_class = "pam"
    c.LocalAuthenticator.allowed_groups = {"students"}  # the users of this machine's group `students`
if os.environ.get("VMALAB_LECTURERS"):
    c.Authenticator.admin_users = set(os.environ["VMALAB_LECTURERS"].split())

# --- servers ---

c.Spawner.start_timeout = 180  # fifty at once take two minutes on two cores
c.Spawner.http_timeout = 120
c.Spawner.environment = {"OPENBLAS_NUM_THREADS": "1"}


def port_of_its_own(spawner):
    """A port by the user's number: of ports drawn by chance two servers may draw the same one."""
    spawner.port = 20000 + spawner.user.id % 10000


c.Spawner.pre_spawn_hook = port_of_its_own

# --- servers that nobody uses are ended after an hour ---

c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    }
]
c.JupyterHub.services = [
    {"name": "idle-culler", "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"]}
]
