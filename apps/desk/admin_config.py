from django.contrib.admin.apps import AdminConfig


class DeskAdminConfig(AdminConfig):
    """The admin with the officials' desk as its front: stands for django.contrib.admin in the settings."""

    default_site = "apps.desk.site.DeskSite"
