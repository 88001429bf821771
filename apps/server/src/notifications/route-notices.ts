import { SEVERITIES } from "@bulwark/model";
import {
  addDelivery,
  listChannels,
  listNotificationRules,
  type Notice,
  type NoticeEvent,
  type NotificationRule,
  type RoutedRisk,
  rewriteDelivery,
  routedRisks,
  type StoredChannel,
  type TenantQueries,
  takeNotices,
  toldRisks,
  waitingDelivery,
} from "@bulwark/store";
import type { ChannelSettings } from "./channel.ts";
import { dueTime } from "./due-time.ts";
import { type Content, type Item, MAX_ITEMS, mergeSections, type Section } from "./message.ts";
import { subjectOf } from "./write-message.ts";

/** Notices that become messages at once: what happens in the same minute is told together. */
const BATCH = 1_000;

/** What one receiver is to be told of one event. */
interface Share {
  readonly channel: StoredChannel;
  readonly recipient: string;
  readonly event: NoticeEvent;
  readonly risks: Map<number, RoutedRisk>;
  readonly facts: Set<Notice>;
}

/**
 * Makes deliveries of the notices that wait, by the rules of the tenant. A receiver that several rules name is told once, and
 * what happened to many things is one message.
 *
 * @returns how many notices there were
 */
export async function routeNotices(db: TenantQueries, now: Date): Promise<number> {
  const notices = await takeNotices(db, BATCH);
  if (notices.length === 0) return 0;
  const rules = (await listNotificationRules(db)).filter(({ enabled }) => enabled);
  const channels = new Map((await listChannels(db)).map((channel) => [channel.id, channel]));
  const shares = new Map<string, Share>();
  for (const event of new Set(notices.map((notice) => notice.event))) {
    const of = notices.filter((notice) => notice.event === event);
    const risks = await routedRisks(db, [...new Set(of.flatMap(({ riskIds }) => riskIds))]);
    for (const rule of rules.filter(({ events }) => events.includes(event))) {
      share(
        shares,
        channels,
        rule,
        event,
        risks,
        of.filter(({ riskIds }) => riskIds.length === 0),
      );
    }
  }
  await deliver(db, [...shares.values()], now);
  return notices.length;
}

function share(
  shares: Map<string, Share>,
  channels: ReadonlyMap<number, StoredChannel>,
  rule: NotificationRule,
  event: NoticeEvent,
  risks: readonly RoutedRisk[],
  facts: readonly Notice[],
): void {
  for (const channelId of rule.channelIds) {
    const channel = channels.get(channelId);
    if (channel === undefined || !channel.enabled) continue;
    const of = (recipient: string): Share => {
      const key = `${channelId} ${event} ${recipient}`;
      const known = shares.get(key) ?? { channel, recipient, event, risks: new Map(), facts: new Set() };
      shares.set(key, known);
      return known;
    };
    for (const risk of risks) {
      const recipient = rule.toOwner && channel.kind === "email" ? risk.ownerEmail : "";
      if (wantsRisk(rule, risk)) of(recipient).risks.set(risk.id, risk);
    }
    for (const notice of facts) if (wantsFacts(rule, notice)) of("").facts.add(notice);
  }
}

function wantsRisk(rule: NotificationRule, risk: RoutedRisk): boolean {
  const worst = rule.minSeverity === null || SEVERITIES.indexOf(risk.severity) <= SEVERITIES.indexOf(rule.minSeverity);
  const kind = rule.kinds.length === 0 || rule.kinds.includes(risk.kind);
  return worst && kind && wantsPlace(rule, risk.ownerId, risk.grade);
}

/** What has no severity or kind passes those; what has no owner or grade fails who asks for one. */
function wantsFacts(rule: NotificationRule, { facts }: Notice): boolean {
  const { ownerId, grade } = facts;
  return wantsPlace(rule, typeof ownerId === "number" ? ownerId : null, typeof grade === "string" ? grade : null);
}

function wantsPlace({ ownerIds, grades }: NotificationRule, ownerId: number | null, grade: string | null): boolean {
  const isOwned = ownerIds.length === 0 || (ownerId !== null && ownerIds.includes(ownerId));
  return isOwned && (grades.length === 0 || (grade !== null && grades.includes(grade)));
}

async function deliver(db: TenantQueries, shares: readonly Share[], now: Date): Promise<void> {
  for (const each of shares) {
    const section = each.risks.size > 0 ? await riskSection(db, each) : factSection(each);
    const dueAt = dueTime(each.channel.settings, now);
    await add(db, each, [section], { now, dueAt, joins: dueAt > now });
  }
}

async function add(
  db: TenantQueries,
  { channel, recipient }: Share,
  sections: readonly Section[],
  { now, dueAt, joins }: { readonly now: Date; readonly dueAt: Date; readonly joins: boolean },
): Promise<void> {
  const { language = "en" }: ChannelSettings = channel.settings;
  const waiting = joins ? await waitingDelivery(db, { channelId: channel.id, recipient, dueAt }) : undefined;
  const before = (waiting?.content as Content | undefined)?.sections ?? [];
  const content: Content = { sections: mergeSections(before, sections) };
  const subject = subjectOf(content, language);
  if (waiting !== undefined) return rewriteDelivery(db, waiting.id, { subject, content });
  await addDelivery(db, { channelId: channel.id, recipient, subject, content, now, dueAt });
}

async function riskSection(db: TenantQueries, { event, risks }: Share): Promise<Section> {
  const severities: Record<string, number> = {};
  for (const { severity } of risks.values()) severities[severity] = (severities[severity] ?? 0) + 1;
  const items = await toldRisks(db, [...risks.keys()].slice(0, MAX_ITEMS));
  return { event, total: risks.size, severities, items: items.map((item) => ({ ...item })) };
}

function factSection({ event, facts }: Share): Section {
  const all = [...facts].map((notice) => notice.facts);
  if (event === "advisories.new") return advisorySection(all);
  // Of a case that changed several times the last state counts.
  const latest = new Map(all.map((each, index) => [each.case ?? `#${index}`, each]));
  const items = [...latest.values()];
  return { event, total: items.length, severities: {}, items: items.slice(0, MAX_ITEMS) as Item[] };
}

function advisorySection(all: readonly Notice["facts"][]): Section {
  const total = all.reduce((sum, { added }) => sum + Number(added), 0);
  const named = all.flatMap(({ vulnerabilities, images }) =>
    (Array.isArray(vulnerabilities) ? vulnerabilities : []).map((each): Item => ({ ...each, images: Number(images) })),
  );
  const unique = [...new Map(named.map((each) => [each.id, each])).values()];
  const rank = ({ exploited, severity }: Item) =>
    (exploited === true ? 0 : 10) + (SEVERITIES as readonly string[]).indexOf(String(severity));
  const items = unique.sort((one, other) => rank(one) - rank(other)).slice(0, MAX_ITEMS);
  return { event: "advisories.new", total, severities: {}, items };
}
