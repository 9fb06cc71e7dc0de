// Which number a transfer leg shows.
#include "trunk/policy.h"

namespace baton::trunk {

CallerId transfer_caller_id(const Trunk& trunk, const CallerId& transferee, const CallerId& transferor,
                            bool inbound_call) {
  switch (trunk.transfer.caller_id) {
    case TransferCallerId::transferee:
      return transferee;
    case TransferCallerId::transferor:
      return transferor;
    case TransferCallerId::fixed:
      if (!trunk.transfer.fixed_caller_id.empty()) return {trunk.transfer.fixed_caller_id, {}, false};
      break;
    case TransferCallerId::by_direction:
      break;
  }
  return inbound_call ? transferee : transferor;
}

}  // namespace baton::trunk
