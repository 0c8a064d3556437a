"""What holds for every test: the fixtures shared by several packages, and how hypothesis runs."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.postgres"]

# However busy the machine is, a slow example is not a wrong one.
settings.register_profile("tongban", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("tongban")
