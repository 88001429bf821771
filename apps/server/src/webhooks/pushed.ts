import { type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";

/** Repositories that one call may name. */
const MAX_REPOSITORIES = 100;
const MAX_NAME = 255;
/** Distribution specification, "Pulling manifests". */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const HARBOR_CHANGES =
  /^(PUSH_ARTIFACT|DELETE_ARTIFACT|REPLICATION|TAG_RETENTION|harbor\.(artifact\.(pushed|deleted)|replication\.status\.changed|tag_retention\.finished))$/;

/**
 * The repositories that a registry says were changed. Whatever else a call says is not believed: the repository is read.
 *
 * Understood are notifications of Docker's registry (Distribution documentation, "Notifications"), webhooks of Harbor in its
 * default and its CloudEvents format (Harbor documentation, "Configure Webhook Notifications"), those of Docker Hub, and
 * `{"repository": "team/app"}`.
 */
export function pushedRepositories(body: unknown): readonly string[] {
  const call = fieldsOf(body);
  const names = [...ofEvents(call), ...ofHarbor(call), ...ofSimple(call)];
  const known = names.filter((name) => name.length <= MAX_NAME && REPOSITORY.test(name));
  return [...new Set(known)].slice(0, MAX_REPOSITORIES);
}

function ofEvents({ events }: Fields): readonly string[] {
  return listOf(events)
    .map(fieldsOf)
    .filter(isChange)
    .map(({ target }) => textOf(fieldsOf(target).repository));
}

/** A manifest that came, or something that went; that a layer came says nothing yet. */
function isChange({ action, target }: Fields): boolean {
  const did = textOf(action);
  return did === "delete" || (did === "push" && /manifest|index/.test(textOf(fieldsOf(target).mediaType)));
}

function ofHarbor({ type, event_data: eventData, data }: Fields): readonly string[] {
  if (!HARBOR_CHANGES.test(textOf(type))) return [];
  return [eventData, data].map((each) => textOf(fieldsOf(fieldsOf(each).repository).repo_full_name));
}

function ofSimple({ repository }: Fields): readonly string[] {
  return [textOf(repository), textOf(fieldsOf(repository).repo_name)];
}

const PULLED = /^(PULL_ARTIFACT|harbor\.artifact\.pulled)$/;
const DIGEST = /^sha256:[a-f0-9]{64}$/;
/** What the server itself reads is no use of an image. */
const OWN_READER = /^bulwark\b/i;

/** Digests of manifests that a registry says were pulled, in the same formats. To believe it only keeps an image from cleanups. */
export function pulledDigests(body: unknown): readonly string[] {
  const { events, type, event_data: eventData, data } = fieldsOf(body);
  const told = listOf(events)
    .map(fieldsOf)
    .filter(({ action, request }) => textOf(action) === "pull" && !OWN_READER.test(textOf(fieldsOf(request).useragent)))
    .map(({ target }) => textOf(fieldsOf(target).digest));
  const byHarbor = PULLED.test(textOf(type))
    ? [eventData, data].flatMap((each) => listOf(fieldsOf(each).resources).map((one) => textOf(fieldsOf(one).digest)))
    : [];
  return [...new Set([...told, ...byHarbor].filter((digest) => DIGEST.test(digest)))].slice(0, MAX_REPOSITORIES);
}
