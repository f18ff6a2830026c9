"""What the manifests do not say and the simulation needs: mean service times.

Nobody has published measurements of these services alone, so the numbers are assumptions: a page
rendered in a few milliseconds, an in-memory lookup in a fraction of one. They are kept in this one
place so that measured values can replace them.
"""

from archcheck.units import ms

RENDER_PAGE = 4 * ms
"""Frontend: HTML templates."""
REDIRECT = 0.5 * ms
"""Frontend: a form post that answers with a redirect."""
CATALOGUE_LOOKUP = 0.5 * ms
"""Product catalogue: in memory, read from a JSON file."""
CURRENCY = 0.4 * ms
"""Currency conversion: in memory."""
CART = 1 * ms
"""Cart service beside its Redis query."""
REDIS_QUERY = 0.2 * ms
"""A Redis command, network left out."""
RECOMMEND = 3 * ms
"""Recommendations: Python, beside the catalogue call."""
ADS = 1.5 * ms
"""Ad service: Java, in memory."""
SHIPPING = 0.5 * ms
"""Shipping quote and order: computed."""
PAYMENT = 2 * ms
"""Payment: card validation, no bank behind it."""
EMAIL = 4 * ms
"""Email: a rendered template, nothing is sent."""
PLACE_ORDER = 2 * ms
"""Checkout: beside its calls."""

ITEMS_IN_CART = 3
"""Products in a typical cart."""
PRODUCTS = 9
"""Products on the home page: those of the demo's catalogue."""
RECOMMENDED = 5
"""Products that the recommendation service returns."""
