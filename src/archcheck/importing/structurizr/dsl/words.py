"""What may stand where, for the sentences about what may not (structurizr.com, DSL, language)."""

from __future__ import annotations

_DESCRIBED = "description tags url properties perspectives ->"

MAY_STAND = {
    "workspace": (
        "name description properties !docs !adrs !identifiers !impliedRelationships model views "
        "configuration"
    ),
    "model": (
        "archetypes !identifiers group person softwareSystem deploymentEnvironment element "
        "properties ->"
    ),
    "person": _DESCRIBED,
    "element": _DESCRIBED,
    "softwareSystem": f"!docs !adrs group container {_DESCRIBED}",
    "container": f"!docs !adrs group component technology !components {_DESCRIBED}",
    "component": f"!docs !adrs group technology {_DESCRIBED}",
    "relationship": "tags url properties perspectives",
    "relationships": "technology tags url properties perspectives",
    "elements": f"technology {_DESCRIBED}",
    "archetypes": (
        "element person softwareSystem container component deploymentNode infrastructureNode group "
        "->"
    ),
    "archetype": "description technology tags properties perspectives",
    "deploymentEnvironment": "group deploymentGroup deploymentNode ->",
    "deploymentNode": (
        "group deploymentNode infrastructureNode instanceOf softwareSystemInstance "
        f"containerInstance technology instances {_DESCRIBED}"
    ),
    "infrastructureNode": f"technology {_DESCRIBED}",
    "softwareSystemInstance": f"healthCheck {_DESCRIBED}",
    "containerInstance": f"healthCheck {_DESCRIBED}",
    "configuration": "scope visibility users properties",
    "perspective": "description value url",
    "documentation": "exclude",
}
"""The kind of a context to the words that may stand in it."""
