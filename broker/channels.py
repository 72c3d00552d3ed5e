"""Open the ways that notices to citizens go, as the settings say."""

from __future__ import annotations

from broker.adapters.mail_smtp import MailServer, SmtpMail
from broker.adapters.notices_memo import MemoFolder
from broker.domain.directory import Directory
from broker.settings import Settings
from broker.transparency.notices import Channels


def open_channels(settings: Settings, directory: Directory) -> Channels:
    """Give the ways notices go; raise `FolderRefused` or `MailRefused` for one that cannot be used."""
    return Channels(_post(settings, directory), open_mail(settings))


def open_mail(settings: Settings) -> SmtpMail | None:
    """Give the way e-mail goes, or none. Raises `MailRefused`."""
    if settings.smtp_host is None or settings.smtp_from is None:
        return None
    return SmtpMail(
        MailServer(
            host=settings.smtp_host,
            port=settings.smtp_port,
            sender=settings.smtp_from,
            security=settings.smtp_security,
            user=settings.smtp_user,
            password=settings.smtp_password,
            authorities=settings.smtp_authorities,
        )
    )


def _post(settings: Settings, directory: Directory) -> MemoFolder | None:
    if settings.notices_folder is None:
        return None
    folder = MemoFolder(settings.notices_folder, directory.municipalities, f"{settings.public_url}/mine")
    folder.check()
    return folder
