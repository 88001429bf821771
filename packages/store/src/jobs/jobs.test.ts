import { afterAll, beforeAll, expect, test } from "vitest";
import type { TenantQueries } from "../open-store.ts";
import { addRegistry } from "../registries/registries.ts";
import { openTestStore, type TestStore } from "../testing/test-store.ts";
import { cancelJob, pauseJob, resumeJob, retryJob } from "./control.ts";
import { addJob, addTasks, getJob, listTasks, type NewTask, type Ticket } from "./jobs.ts";
import { beginTask, endTask, markQueued, reportProgress, rescueTasks } from "./task-life.ts";

let opened: TestStore;
beforeAll(async () => {
  opened = await openTestStore();
});
afterAll(() => opened.close());

const NOW = new Date("2026-06-01T08:00:00Z");
const work = <Result>(todo: (db: TenantQueries) => Promise<Result>) => opened.store.tenant(1, todo);
const tasksOf = (count: number, payload: NewTask["payload"] = {}): readonly NewTask[] =>
  Array.from({ length: count }, (_, place) => ({ kind: "scan-image", name: `task ${place}`, payload }));
const start = (count: number, perMinute = 0) =>
  work((db) => addJob(db, { kind: "scan", title: "t", cause: "request", createdBy: "", perMinute }, tasksOf(count)));
const begin = (ticket: Ticket, worker = "a") => work((db) => beginTask(db, ticket, worker, NOW));
const stateOf = (job: number) => work(async (db) => (await getJob(db, job))?.state);
const done = { state: "done" } as const;

/** What happens to a worker that stalls: its last sign of life gets old. */
const stall = (task: number) =>
  work((db) =>
    db
      .updateTable("task")
      .set({ seen_at: new Date(Date.now() - 60_000) })
      .where("id", "=", task)
      .execute(),
  );

test("a task that is in the queue twice is begun once, however many workers take it at the same time", async () => {
  const { tasks } = await start(1);
  const begun = await Promise.all(Array.from({ length: 8 }, (_, i) => begin(tasks[0]!, `worker ${i}`)));
  expect(begun.filter((task) => task !== undefined)).toHaveLength(1);
});

test("a job ends with its last tasks, also when these end in the same moment", async () => {
  for (let round = 0; round < 20; round++) {
    const { id, tasks } = await start(4);
    const begun = await Promise.all(tasks.map((ticket) => begin(ticket)));
    await Promise.all(begun.map((task) => work((db) => endTask(db, task!, done, NOW))));
    expect(await stateOf(id)).toBe("done");
  }
});

test("a job does not end while a task of it may still add others, and none are added once it ended", async () => {
  const { id, tasks } = await start(1);
  const sync = await begin(tasks[0]!);
  const [first] = await work((db) => addTasks(db, id, tasksOf(1)));
  const scan = await begin(first!);
  await work((db) => endTask(db, scan!, done, NOW));
  expect(await stateOf(id)).toBe("running");
  await work((db) => endTask(db, sync!, done, NOW));
  expect(await stateOf(id)).toBe("done");
  expect(await work((db) => addTasks(db, id, tasksOf(1)))).toEqual([]);
});

test("tasks of a paused job are parked when their turn comes, and get new tickets when it goes on", async () => {
  const { id, tasks } = await start(2);
  const running = await begin(tasks[0]!);
  expect(await work((db) => pauseJob(db, id))).toBe(true);
  expect(await begin(tasks[1]!)).toBeUndefined();
  expect(await work((db) => addTasks(db, id, tasksOf(1)))).toEqual([]);
  await work((db) => endTask(db, running!, done, NOW));
  expect(await stateOf(id)).toBe("paused");
  const tickets = await work((db) => resumeJob(db, id));
  expect(tickets).toHaveLength(2);
  expect(await begin(tasks[1]!)).toBeUndefined();
  for (const ticket of tickets!) {
    const task = await begin(ticket);
    await work((db) => endTask(db, task!, done, NOW));
  }
  expect(await stateOf(id)).toBe("done");
});

test("whatever is paused and resumed while workers begin and end, every task is done once", async () => {
  const { id, tasks } = await start(30);
  const queue: Ticket[] = [...tasks, ...tasks];
  const finished: number[] = [];
  const worker = async (name: string) => {
    for (let ticket = queue.shift(); ticket !== undefined; ticket = queue.shift()) {
      const task = await begin(ticket, name);
      if (task === undefined) continue;
      await work((db) => endTask(db, task, done, NOW));
      finished.push(task.id);
    }
  };
  const nervous = async () => {
    for (let i = 0; i < 15; i++) {
      await work((db) => pauseJob(db, id));
      queue.push(...((await work((db) => resumeJob(db, id))) ?? []));
    }
  };
  await Promise.all([worker("a"), worker("b"), worker("c"), nervous()]);
  await worker("d");
  expect(finished.sort((a, b) => a - b)).toEqual(tasks.map(({ taskId }) => taskId));
  expect(await stateOf(id)).toBe("done");
});

test("tasks that run are told to stop when their job is cancelled; the others are not begun", async () => {
  const { id, tasks } = await start(2);
  const running = await begin(tasks[0]!);
  expect(await work((db) => reportProgress(db, running!, 0.5, "half"))).toBe("go on");
  expect(await work((db) => cancelJob(db, id, NOW))).toBe(true);
  expect(await work((db) => reportProgress(db, running!, 0.6, "more"))).toBe("stop");
  expect(await begin(tasks[1]!)).toBeUndefined();
  await work((db) => endTask(db, running!, { state: "cancelled" }, NOW));
  expect(await stateOf(id)).toBe("cancelled");
  expect(await work((db) => cancelJob(db, id, NOW))).toBe(false);
  expect(await work((db) => retryJob(db, id))).toEqual([]);
});

test("a task of a dead worker goes to another, and what the dead one still says does not count", async () => {
  const { id, tasks } = await start(1);
  await work((db) => markQueued(db, tasks));
  const first = await begin(tasks[0]!, "stalled");
  await stall(first!.id);
  const { tickets } = await work((db) => rescueTasks(db, 5, NOW));
  expect(tickets).toMatchObject([{ taskId: first!.id, ticket: 2 }]);
  const second = await begin(tickets[0]!, "other");
  expect(second).toMatchObject({ attempts: 2 });
  expect(await work((db) => reportProgress(db, first!, 0.9, "not dead"))).toBe("stop");
  await work((db) => endTask(db, first!, { state: "failed", problem: "late" }, NOW));
  expect(await stateOf(id)).toBe("running");
  await work((db) => endTask(db, second!, done, NOW));
  expect(await work((db) => getJob(db, id))).toMatchObject({ state: "done", done: 1, failed: 0 });
});

test("a task whose workers die again and again is given up, with the reason", async () => {
  const { id, tasks } = await start(1);
  let ticket: Ticket | undefined = tasks[0];
  for (let tries = 0; tries < 3; tries++) {
    const task = await begin(ticket!);
    await stall(task!.id);
    const { tickets } = await work((db) => rescueTasks(db, 3, NOW));
    ticket = tickets.find(({ taskId }) => taskId === task!.id);
  }
  expect(ticket).toBeUndefined();
  expect(await stateOf(id)).toBe("failed");
  const [dead] = await work((db) => listTasks(db, { job: id, limit: 1 }));
  expect(dead).toMatchObject({ state: "failed", attempts: 3, problem: expect.stringContaining("no sign of life") });
});

test("a task that its server wrote but never queued is found", async () => {
  const { tasks } = await start(1);
  await stall(tasks[0]!.taskId);
  const { tickets } = await work((db) => rescueTasks(db, 5, NOW));
  expect(tickets).toContainEqual(tasks[0]);
});

test("tasks of a job with a pace get times of their own, and so do those of a registry, whoever asks for them", async () => {
  const { id, tasks } = await start(3, 60);
  const times = (tickets: readonly Ticket[]) => tickets.map(({ startAt }) => Date.parse(startAt ?? ""));
  const [a = 0, b = 0, c = 0] = times(tasks);
  expect([b - a, c - b]).toEqual([1_000, 1_000]);
  const [d = 0] = times(await work((db) => addTasks(db, id, tasksOf(1))));
  expect(d - c).toBe(1_000);
  const settings = { imagesPerMinute: 30 };
  const registry = await work((db) => addRegistry(db, { name: "slow", kind: "oci", address: "slow", settings }));
  const ask = () =>
    work((db) =>
      addJob(db, { kind: "scan", title: "t", cause: "request", createdBy: "" }, tasksOf(2, { registry, digest: "x" })),
    );
  const both = [...times((await ask()).tasks), ...times((await ask()).tasks)];
  expect(both.slice(1).map((time, place) => time - both[place]!)).toEqual([2_000, 2_000, 2_000]);
});

test("failed tasks are tried anew on request, with a fresh count of tries", async () => {
  const { id, tasks } = await start(2);
  const failing = await begin(tasks[0]!);
  await work((db) => endTask(db, failing!, { state: "failed", problem: "the disk is full" }, NOW));
  const other = await begin(tasks[1]!);
  await work((db) => endTask(db, other!, done, NOW));
  expect(await stateOf(id)).toBe("failed");
  const tickets = await work((db) => retryJob(db, id));
  expect(await stateOf(id)).toBe("running");
  const again = await begin(tickets[0]!);
  expect(again).toMatchObject({ id: failing!.id, attempts: 1 });
  await work((db) => endTask(db, again!, done, NOW));
  expect(await stateOf(id)).toBe("done");
});
