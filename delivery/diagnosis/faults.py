"""What failures without an answer mean: names, connections, certificates, our own settings."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from delivery.diagnosis.sentences import Diagnosis, says
from delivery.transports import ErrorClass

UNKNOWN = says(
    _("{who} could not be reached."),
    _("The attempt failed in a way that has no name here yet."),
    _("Read the message of the last try, and send a test to see whether it still fails."),
)

BY_CLASS: Mapping[str, Diagnosis] = {
    ErrorClass.DNS: says(
        _("The name in the address leads nowhere."),
        _("The host was renamed or switched off, or the address has a typing error."),
        _("Compare the address with the one that the receiver shows, and correct it."),
    ),
    ErrorClass.PARTIAL: says(
        _("{who} took the batch, but not this event."),
        _("Its answer names the event among those that it refused."),
        _("Read its reason below. The others of the batch have arrived and are not sent again."),
    ),
    ErrorClass.BATCH_ANSWER: says(
        _("{who} names refused events of the batch in a way that nobody can read."),
        _("Which events arrived is not known, so the whole batch is tried again."),
        _("Let it answer as Help says under “Receive”, or with an empty body if it took all."),
    ),
    ErrorClass.REFUSED: says(
        _("{who} refuses the connection."),
        _("The machine is there, and nothing listens on that port: the service is down."),
        _("Ask its owner to start it. Deliveries go on by themselves when it answers."),
    ),
    ErrorClass.UNREACHABLE: says(
        _("There is no way to {who}."),
        _("A network or firewall in between is down or does not let us through."),
        _("Ask the network's owner whether our address may reach that port."),
    ),
    ErrorClass.CONNECT_TIMEOUT: says(
        _("{who} does not take the connection in time."),
        _("A firewall drops it in silence, or the machine is overloaded or off."),
        _("Check that the address can be reached from here; then send a test."),
    ),
    ErrorClass.READ_TIMEOUT: says(
        _("{who} takes the event and does not answer in time."),
        _("The flow works while we wait. It may have done its work, so it may get it twice."),
        _("Let the flow answer at once and work afterwards, or raise the time-out."),
    ),
    ErrorClass.TLS_EXPIRED: says(
        _("{who}'s certificate has expired."),
        _("It was not renewed. Nothing can be sent safely until it is."),
        _("Ask its owner to renew the certificate; then send a test."),
    ),
    ErrorClass.TLS_NAME: says(
        _("{who}'s certificate is for another name."),
        _("The address points at the wrong machine, or the certificate lacks this name."),
        _("Use the name that the certificate is for, or have it issued for this one."),
    ),
    ErrorClass.TLS_UNTRUSTED: says(
        _("{who}'s certificate is signed by nobody we know."),
        _("It is self-signed, or its authority is your own, or it sends an incomplete chain."),
        _("Add your authority's certificate to the endpoint, or have the chain completed."),
    ),
    ErrorClass.TLS_OTHER: says(
        _("No secure connection to {who} comes about."),
        _("It speaks only old protocols, asks for a client certificate, or speaks no TLS there."),
        _("Check the port and whether the address should start with http:// or https://."),
    ),
    ErrorClass.RESET: says(
        _("{who} breaks the connection off."),
        _("It was restarted in the middle, or something in between cuts it."),
        _("This mends itself as a rule. If it stays, look at the receiver's own log."),
    ),
    ErrorClass.BLOCKED_ADDRESS: says(
        _("The address leads into a network that must not be called."),
        _("It is private or this machine's own. Nothing was sent."),
        _("Use a public address, or let an admin allow the network (DELIVERY_ALLOWED_NETWORKS)."),
    ),
    ErrorClass.REDIRECT: says(
        _("{who} sends us on to another address."),
        _("Redirects are not followed, since a signed event must not go where nobody chose."),
        _("Put the new address into the subscription."),
    ),
    # Where many tries are summed up; of a single one the status says more.
    ErrorClass.HTTP_STATUS: says(
        _("{who} answers with an error."),
        _("It was reached, and said no or failed itself; the status tells which."),
        _("Open the failure: it names the status and what helps."),
    ),
    ErrorClass.BODY_TOO_LARGE: says(
        _("{who} answers without end."),
        _("The address is probably a page or a download, not a webhook."),
        _("Check the address."),
    ),
    ErrorClass.PROTOCOL: says(
        _("{who} answers something that is not HTTP."),
        _("Another kind of service listens on that port."),
        _("Check the port and the address."),
    ),
    ErrorClass.BAD_URL: says(
        _("The address cannot be used."),
        _("It is not a complete http or https address."),
        _("Correct the address of the subscription."),
    ),
    ErrorClass.BAD_SETTINGS: says(
        _("The request could not be made."),
        _("The subscription's certificate or credentials do not fit."),
        _("Read the message, mend the subscription, and replay."),
    ),
    ErrorClass.MAPPING: says(
        _("The mapping makes nothing of this event."),
        _("It reads a field that this event lacks, or makes too much. Nothing was sent."),
        _("Try the mapping on this event in the subscription, mend it, then replay."),
    ),
    ErrorClass.TRANSLATION: says(
        _("The event could not be converted to the version that {who} asked for."),
        _("The conversion between the two versions does not fit this event. Nothing was sent."),
        _("Ask the event's owner to mend the conversion; once that is approved, replay."),
    ),
    ErrorClass.TOKEN: says(
        _("No access token could be had for {who}."),
        _("The token server refused the client or did not answer."),
        _("Check the client's id and secret in the endpoint's credentials."),
    ),
    ErrorClass.INTERRUPTED: says(
        _("Our worker was stopped in the middle of the request."),
        _("That uses no retry; the event may arrive twice with the same webhook-id."),
        _("There is nothing to do."),
    ),
}
