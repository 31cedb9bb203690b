"""Making pictures of a photo, outside of any transaction: decoding takes a second, and the storage may be far away."""

from __future__ import annotations

from shop.catalog import pictures
from shop.kernel.db import finish_reading, perform, reading
from shop.kernel.errors import Invalid
from shop.listings import operations
from shop.models.listings import PictureState, PictureUpload
from shop.platform.files import storage


def make_picture(upload_id: int) -> None:
    """Make pictures of a photo, or say why none can be made; begun again, the same files are written and one picture is added."""
    found = reading().get(PictureUpload, upload_id)
    if found is None or found.state is not PictureState.WAITING or found.content is None:
        finish_reading()
        return
    content = found.content
    finish_reading()
    try:
        file = pictures.keep(storage(), content)
    except Invalid as refused:
        perform(operations.refuse_picture, upload_id, refused.code)
    else:
        perform(operations.add_picture, upload_id, file)
