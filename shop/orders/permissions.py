"""What staff may be permitted to do with orders: at their shop, at their point, in the city."""

from __future__ import annotations

from shop.platform.permissions import Permission


class OrderPermission(Permission):
    SHOP_READ = "orders:shop:read", "See a shop's paid orders and deliveries, and print their papers"
    SHOP_PACK = "orders:shop:pack", "Accept, weigh, pack and open again the orders of a shop"
    SHOP_DECLINE = "orders:shop:decline", "Say that goods of a paid order are not there, which gives their money back"
    SHOP_SEND = "orders:shop:send", "Say that a delivery has left the shop, or has not after all"
    RETURN_RECEIVE = "orders:return:receive", "Say that what nobody collected is back at the shop"
    ARRIVAL_RECEIVE = "orders:arrival:receive", "Say that deliveries are at the point, and what is missing of them"
    CITY_READ = "orders:city:read", "Find any order of the city, and see what was paid, given back and done"
