"""The hub of the tests: that of `vmalab build hub`, with a sign-in and users that need no change to the machine.

Read by jupyterhub.  What differs from one run to the next comes in the environment variable VMALAB_HUB_TEST, as JSON.
"""

import json
import os

from jupyterhub.spawner import LocalProcessSpawner

c = get_config()  # noqa: F821
told = json.loads(os.environ["VMALAB_HUB_TEST"])

load_subconfig(told["config"])  # noqa: F821


class Numbered(LocalProcessSpawner):
    """A server for a user that has a number and a home but no line in /etc/passwd: nothing is left on the machine.

    Where the hub does not run as root, all are the hub's own user.
    """

    @property
    def home(self):
        return os.path.join(told["homes"], self.user.name)

    def make_preexec_fn(self, name):
        uid, home = told["uids"][name], self.home

        def become():
            if uid is not None:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
            os.chdir(home)

        return become

    def user_env(self, env):
        return {**env, "USER": self.user.name, "HOME": self.home, "SHELL": "/bin/sh"}


c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allowed_users = set(told["uids"])
c.JupyterHub.spawner_class = Numbered
c.JupyterHub.bind_url = f"http://127.0.0.1:{told['port']}"
c.JupyterHub.hub_port = told["hub_port"]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{told['proxy_port']}"
c.ConfigurableHTTPProxy.command = told["proxy"]
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.cookie_secret_file = os.path.join(told["folder"], "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = os.path.join(told["folder"], "proxy.pid")
c.Spawner.cmd = [told["python"], "-m", "jupyterhub.singleuser"]
if os.geteuid() == 0 and None in told["uids"].values():
    c.Spawner.args = ["--allow-root"]
c.Spawner.environment = {
    **c.Spawner.environment, "JUPYTER_PLATFORM_DIRS": "1", "PYTHONDONTWRITEBYTECODE": "1",
    "PATH": f"{os.path.dirname(told['python'])}:{os.environ['PATH']}",
    "LD_LIBRARY_PATH": os.path.join(told["folder"], "student", "lib"),  # where the interpreter was copied
}  # fmt: skip
c.Spawner.env_keep = ["LANG", "CI"]
c.JupyterHub.services += [{"name": "class", "api_token": told["token"]}]
c.JupyterHub.load_roles += [
    {
        "name": "class",
        "services": ["class"],
        "scopes": ["admin:users", "admin:servers", "admin:server_state", "access:servers"],
    }
]
