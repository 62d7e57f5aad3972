from apps.live.tests.conftest import web as web
