import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { conflict, invalidParameter, messageOf, notFound } from "../../errors/platform-error.ts";
import type { Log } from "../../log/log.ts";
import { fileError } from "../content/file-error.ts";
import { KeyedLock } from "../content/keyed-lock.ts";
import { writeFileDurably } from "../content/write-file-durably.ts";
import { type LeaseRecord, readLeases } from "./lease-sidecars.ts";
import { type Leases, type OpenLease, type Resource, resourceKey } from "./leases.ts";

export interface NewLease {
  /** Default: a random one. */
  readonly id?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly expiresAt?: string;
}

export interface PersistentLeasesOptions {
  /** Of the sidecars; made if it is missing. */
  readonly directory: string;
  readonly leases: Leases;
  /** What a blob refers to, as far as it is present: a lease on a manifest holds its layers, too. */
  readonly references: (resource: Resource) => Promise<readonly Resource[]>;
  readonly log: Log;
}

/** Also the name of a file. */
const idPattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/**
 * Leases whose holders may end before they do: `<id>.json` for each, written aside, fsynced, renamed. What they name,
 * and what that refers to at the moment at which it is named, is held in `Leases`.
 *
 * Add a resource while an operation's lease holds it: only then it cannot go away before it is held here.
 */
export class PersistentLeases {
  /** Sidecars that nobody can read: what they keep is unknown. */
  readonly unreadable: string[] = [];
  private readonly records = new Map<string, LeaseRecord>();
  private readonly held = new Map<string, OpenLease>();
  private readonly changes = new KeyedLock();

  private constructor(private readonly options: PersistentLeasesOptions) {}

  static async open(options: PersistentLeasesOptions): Promise<PersistentLeases> {
    const store = new PersistentLeases(options);
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    const records = readLeases(options.directory, (path, error) => {
      store.unreadable.push(path);
      options.log.warn("leases.sidecar-broken", { path, error: messageOf(error) });
    });
    for (const record of records) {
      store.records.set(record.id, record);
      await store.hold(record, store.open(record.id));
    }
    return store;
  }

  list(): LeaseRecord[] {
    return [...this.records.values()];
  }

  get(id: string): LeaseRecord | undefined {
    return this.records.get(id);
  }

  /** Everything that the lease keeps: what it names, and what that refers to. */
  resources(id: string): readonly Resource[] {
    return this.held.get(id)?.resources ?? [];
  }

  /** Errors: InvalidParameter for an id or time that is none; Conflict for an id in use. */
  async create({
    id = randomBytes(8).toString("hex"),
    labels = {},
    expiresAt,
  }: NewLease): Promise<LeaseRecord> {
    if (!idPattern.test(id)) throw invalidParameter(`invalid lease id ${JSON.stringify(id)}`);
    if (expiresAt !== undefined && Number.isNaN(Date.parse(expiresAt)))
      throw invalidParameter(`lease ${id}: expiry ${JSON.stringify(expiresAt)} is not a time`);
    using _turn = await this.changes.acquire("");
    if (this.records.has(id)) throw conflict(`lease ${id} exists already`);
    const record = { id, labels, createdAt: new Date().toISOString(), expiresAt, resources: [] };
    await this.write(record);
    return record;
  }

  /** Held when this returns, and after a restart. Errors: NotFound for an unknown lease. */
  async add(id: string, resources: readonly Resource[]): Promise<LeaseRecord> {
    return await this.change(id, (before) => {
      const known = new Set(before.map(resourceKey));
      return [...before, ...resources.filter((resource) => !known.has(resourceKey(resource)))];
    });
  }

  /** Lets go of what is named; the lease stays. Errors: NotFound for an unknown lease. */
  async release(id: string, resources: readonly Resource[]): Promise<LeaseRecord> {
    const gone = new Set(resources.map(resourceKey));
    return await this.change(id, (before) => before.filter((resource) => !gone.has(resourceKey(resource))));
  }

  /** False if there was none. What it held is garbage from now on, unless somebody else needs it. */
  async remove(id: string): Promise<boolean> {
    using _turn = await this.changes.acquire("");
    if (!this.records.has(id)) return false;
    const path = this.path(id);
    await rm(path, { force: true }).catch((error) => {
      throw fileError(error, `remove ${path}`);
    });
    this.records.delete(id);
    this.held.get(id)?.end();
    this.held.delete(id);
    return true;
  }

  /** Removes the leases whose time is over. */
  async expire(nowMs = Date.now()): Promise<void> {
    for (const { id, expiresAt } of this.list()) {
      if (expiresAt !== undefined && Date.parse(expiresAt) <= nowMs) await this.remove(id);
    }
  }

  private async change(
    id: string,
    edit: (before: readonly Resource[]) => readonly Resource[],
  ): Promise<LeaseRecord> {
    using _turn = await this.changes.acquire("");
    const before = this.records.get(id);
    if (before === undefined) throw notFound(`no such lease: ${id}`, { code: "lease.missing" });
    const after = { ...before, resources: edit(before.resources) };
    await this.write(after);
    return after;
  }

  /** Held first, then on disk, then in memory: an error leaves everything as it was. */
  private async write(record: LeaseRecord): Promise<void> {
    const before = this.held.get(record.id);
    const lease = this.open(record.id);
    const path = this.path(record.id);
    try {
      await this.hold(record, lease);
      await writeFileDurably(path, `${JSON.stringify(record)}\n`);
    } catch (error) {
      lease.end();
      if (before !== undefined) this.held.set(record.id, before);
      else this.held.delete(record.id);
      throw fileError(error, `write ${path}`);
    }
    before?.end();
    this.records.set(record.id, record);
  }

  private open(id: string): OpenLease {
    const lease = this.options.leases.open({ kind: "lease", name: id });
    this.held.set(id, lease);
    return lease;
  }

  private async hold({ resources }: LeaseRecord, lease: OpenLease): Promise<void> {
    for (const resource of resources) lease.hold(resource);
    const waiting = [...resources];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      for (const reference of await this.options.references(next)) {
        if (lease.hold(reference)) waiting.push(reference);
      }
    }
  }

  private path(id: string): string {
    return join(this.options.directory, `${id}.json`);
  }
}
