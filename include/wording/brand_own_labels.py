"""The retailers' private labels, as folded brands. A missing label costs a manual check, a wrong one a lost match."""

from __future__ import annotations

# Every brand that begins with this word belongs to the retailer: "Coles Finest", "Woolworths Gold".
FIRST_WORDS = {"coles": "coles", "woolworths": "woolworths", "aldi": "aldi", "iga": "iga"}

_LABELS = {
    "coles": """
        smart buy | im perfect | daley street | daley st | wellness road | koi | cook dine | urban coffee culture | natures kitchen |
        mix by coles | by coles | youll love coles""",
    "woolworths": """
        macro | macro organic | macro wholefoods | macro wholefoods market | essentials | homebrand | home brand | the odd bunch |
        odd bunch | delicious nutritious | balnea | voeu | smitten | baxters | little ones | inspire | strike | hillview""",
    "iga": "community co | black gold | black and gold | no frills | best buy",
    "aldi": """
        activ energy | albertsons reserve | alcafe | alcafe gold | almat | almat comfy | anco soft | asia green garden |
        asia specialities | atlas | atlas kill protect | bakers life | barissimo | baroque | beautifully butterfully | belmont biscuit co |
        berg | biocult | blackstone gourmet snack co | blackstone paddock | blitz | bon appetit | bramwells | broad oak farms |
        brookdale | brooklea | cachet | cafe series | casa barelli | chefs cupboard | choceur | cocolicious | colway | confidence |
        corale | country orchard | dairy fine | damora | damora satisfied snacking | deli originals | deli originals fresh | dentitex |
        di san | diegos | diplomat | dominion naturals | earth grown | el tora | el toro macho | elmsbury | emporium selection |
        essential health | expressi | farmdale | farmwood | fizzi | flying power | forresters | freya and jules | goldenvale | goliath |
        grandessa | grandessa signature | green action | hair tresses | health vitality | health vitality fit | heart active | hedafen |
        hedanol | highland black | highland earl | highland green | hillcrest | house of yum | hungry humphrey | hydale |
        imperial grain | indulge | infusionist | inner goodness | international cuisine | jindurra station | julius | julius cachet |
        julius gold | jumpys | just organic | kringle co | lacura | lacura beauty | lacura essentials | lazzio | lets party |
        little birdwood | lodge farms | logix | logix platinum | lyttos | made real | mamia | market fare | milfina | monarc |
        monarc crowns | moser roth | natures essence | natural elements pet nutrition | new season | northbrook | ocean rise |
        ocean royale | oh so natural foods | oh so natural gluten free | oh so natural organic | oh so natural superfoods |
        oh so natural wholefoods | ombra | onset | orchard vine | pickd | portview | power force | power force pro | precious earth |
        premiere | protane | pure valley | pure vita | purewick | quick 2 go | qwench | ready set cook | remano | repellex |
        san i pet | sana | sandara | sea crunch | seasons pride | silver scoop | simplee | snackers market | so femme | specially selected |
        sprinters | stonemill | striganov | sunnyvale | sweet haven | sweet valley | sweet vine | tandil | tandil ultra |
        taste nation | the cake stall | the fishmonger | the fresh fruit co | the fresh salad co | the fresh veggie co |
        the herb garden | the olive tree | the pond | the soup co | tricare | trimat advanced | urban eats | westacre | westacre dairy |
        westcliff | white mill | willowton free range | world kitchen | yoguri""",
}

OWN_LABELS = {label.strip(): retailer for retailer, labels in _LABELS.items() for label in labels.split("|")}
