from django.contrib import admin
from django.utils.translation import gettext_lazy

from apps.accounts.admin_policy import PolicyAdmin
from apps.commands.models import Command as DeviceCommand
from apps.commands.models import CommandText
from apps.common.admin import ReadOnlyAdmin, choices_in_words


@admin.register(CommandText)
class CommandTextAdmin(PolicyAdmin[CommandText]):
    list_display = ("device_model", "pattern", choices_in_words("roles", gettext_lazy("roles")), "explained")
    list_select_related = ("device_model",)
    list_filter = ("device_model",)

    @admin.display(description=gettext_lazy("description"), ordering="description")
    def explained(self, text: CommandText) -> str:
        return text.explained


@admin.register(DeviceCommand)
class CommandAdmin(ReadOnlyAdmin[DeviceCommand], PolicyAdmin[DeviceCommand]):
    """To read: commands are sent from the desk, or over REST (`/api/v1/commands`)."""

    when_empty = gettext_lazy("Commands are sent at the desk, under Commands.")
    list_display = ("created_at", "device", "text", "state", "author", "response")
    list_select_related = ("device__model", "author")
    list_filter = ("state", "organization")
    search_fields = ("device__imei", "text")
