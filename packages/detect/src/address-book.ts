import type { RuntimeEvent } from "@bulwark/model";

/** Addresses whose names are remembered, of all containers together; the oldest are forgotten. */
const MAX_ADDRESSES = 20_000;
/** A name is good for so long after it was answered: longer than most are meant to be, for connections outlive answers. */
const GOOD_FOR_US = 3_600_000_000;

/** An event with the name under which its process, or another of its container, had asked for the peer's address. */
export interface NamedEvent extends RuntimeEvent {
  readonly remoteName?: string;
}

interface Entry {
  readonly name: string;
  readonly timeUs: number;
}

/** Remembers what names stood for, container by container: what one was told need not be true for another. */
export interface AddressBook {
  /** The same event, with a name where there is one. Learns from answers of DNS. */
  readonly named: (event: RuntimeEvent) => NamedEvent;
}

export function createAddressBook(): AddressBook {
  const entries = new Map<string, Entry>();
  const keyOf = ({ container }: RuntimeEvent, address: string) => `${container?.id ?? "host"} ${address}`;

  function learn(event: RuntimeEvent): void {
    const entry: Entry = { name: event.dnsName.replace(/\.$/, "").toLowerCase(), timeUs: event.timeUs };
    for (const answer of event.dnsAnswers) {
      const key = keyOf(event, answer);
      entries.delete(key);
      entries.set(key, entry);
    }
    for (const key of entries.keys()) {
      if (entries.size <= MAX_ADDRESSES) break;
      entries.delete(key);
    }
  }

  return {
    named: (event) => {
      if (event.type === "dns") {
        if (event.dnsName !== "") learn(event);
        return event;
      }
      if (entries.size === 0 || event.remoteAddress === "") return event;
      const entry = entries.get(keyOf(event, event.remoteAddress));
      return entry === undefined || event.timeUs - entry.timeUs > GOOD_FOR_US
        ? event
        : { ...event, remoteName: entry.name };
    },
  };
}
