"""What the pages of the house itself bring."""

from __future__ import annotations

from shop.home import bundles, commands, development, discovery, installable, legal, sign_in, views
from shop.platform.features import Feature

FEATURE = Feature(
    name="home",
    blueprints=(bundles.bp, views.bp, views.life, installable.bp, discovery.bp, legal.bp),
    pages=(sign_in,),
    commands=(commands.group,),
    development_blueprints=(development.bp,),
)
