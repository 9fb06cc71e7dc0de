"""The configuration of the interop tests, filled in for one network."""
import pathlib
import string

import loopback

HERE = pathlib.Path(__file__).resolve().parent

TLS = """[[server.listen]]
transport = "tls"
bind = "$place"
certificate = "$certificate"
key = "$key"
$more
[tls]
ca = "$ca"
"""


def tls_listener(place, pki, name="baton", more=""):
    certificate, key = pki.files(name)
    return string.Template(TLS).substitute(place=place, certificate=certificate, key=key, ca=pki.ca, more=more)


def configuration(network, transport, tls="", change=lambda text: text):
    """`change` may rewrite the text before names like $agent_at are filled in."""
    media = loopback.media_ports(100)
    values = {name: network.of(name) for name in network.HOSTS}
    values.update({f"{name}_at": network.at(name) for name in network.HOSTS})
    values["pbx_tls"] = network.port_of("pbx") + 1
    values.update(media=network.media, media_first=media[0], media_last=media[1], transport=transport, tls=tls)
    return string.Template(change((HERE / "interop.toml.in").read_text())).substitute(values)
