import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileError } from "../../core/content/file-error.ts";
import { conflict, invalidParameter, messageOf, notFound } from "../../errors/platform-error.ts";
import type { Log } from "../../log/log.ts";
import { Container } from "./container.ts";
import type { ContainerRecord } from "./container-record.ts";

const idPattern = /^[0-9a-f]{64}$/;
const removingPrefix = ".removing-";
const sidecarName = "container.json";

/** A directory that is going to be deleted, and what its sidecar said where it has one. */
export interface DoomedDirectory {
  readonly record: ContainerRecord | undefined;
  readonly directory: string;
}

/**
 * All containers: an index in memory over `containers/<id>/container.json`. All lookups answer from memory.
 *
 * A directory is renamed to `.removing-<id>` the moment its container is logically gone. `takeDoomed` names what a crash
 * left of those, and directories without a sidecar (a create that did not end). An unreadable sidecar is left alone.
 */
export class ContainerStore {
  readonly #byId = new Map<string, Container>();
  readonly #byName = new Map<string, Container>();
  readonly #doomed: DoomedDirectory[] = [];

  constructor(
    private readonly root: string,
    private readonly log: Log,
  ) {}

  /** Reads all records of an earlier engine. */
  open(): void {
    mkdirSync(this.root, { recursive: true, mode: 0o700 });
    for (const entry of readdirSync(this.root)) {
      const directory = join(this.root, entry);
      const isContainer = idPattern.test(entry) && existsSync(join(directory, sidecarName));
      const record = this.#read(directory);
      if (!isContainer) this.#doomed.push({ record, directory });
      else if (record) this.#index(new Container(record));
    }
  }

  /** What crashed removals and creates left, once. */
  takeDoomed(): readonly DoomedDirectory[] {
    return this.#doomed.splice(0);
  }

  directory(id: string): string {
    return join(this.root, id);
  }

  /**
   * Whom the writable top `key` belongs to, by name. A container whose record cannot be read, or is not written yet, has
   * its directory already, and no better name than its id.
   */
  ownerOf(key: string): string | undefined {
    const name = this.#byId.get(key)?.name;
    return name ?? (existsSync(this.directory(key)) ? key : undefined);
  }

  /** In the order of creation. */
  list(): Container[] {
    return [...this.#byId.values()];
  }

  find(reference: string): Container | undefined {
    const name = reference.startsWith("/") ? reference.slice(1) : reference;
    const exact = this.#byId.get(reference) ?? this.#byName.get(name);
    if (exact || !/^[0-9a-f]{1,63}$/.test(reference)) return exact;
    const matches = this.list().filter((container) => container.id.startsWith(reference));
    if (matches.length > 1) {
      throw invalidParameter(`Multiple IDs found with provided prefix: ${reference}`);
    }
    return matches[0];
  }

  /** By id, name, or unambiguous id prefix, in this order. */
  get(reference: string): Container {
    const found = this.find(reference);
    if (found) return found;
    throw notFound(`No such container: ${reference}`, { hint: "list all containers with `ps --all`" });
  }

  hasName(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Conflict with Docker's wording when the name is in use. */
  checkNameIsFree(name: string): void {
    const owner = this.#byName.get(name);
    if (!owner) return;
    throw conflict(
      `Conflict. The container name "/${name}" is already in use by container "${owner.id}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
  }

  /** Takes id and name; nothing is on disk yet. Synchronous, so that two creates cannot both get a name. */
  add(container: Container): void {
    this.checkNameIsFree(container.name);
    this.#index(container);
  }

  rename(container: Container, name: string): void {
    this.checkNameIsFree(name);
    this.#byName.delete(container.name);
    container.change({ name });
    this.#byName.set(name, container);
    this.save(container);
  }

  makeDirectory(id: string): void {
    mkdirSync(this.directory(id), { mode: 0o710 });
  }

  /** Written aside and renamed: outlives the engine. What has to outlive the machine goes through `saveDurably`. */
  save(container: Container): void {
    if (this.#byId.get(container.id) !== container) return; // removed meanwhile
    const path = this.#sidecar(container.id);
    try {
      writeFileSync(`${path}.new`, JSON.stringify(container.record), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    } catch (error) {
      rmSync(`${path}.new`, { force: true });
      throw fileError(error, `write the record of container ${container.name}`);
    }
  }

  /**
   * For what has happened already, and goes on whatever the disk says: the record in memory is right, and on disk is
   * the one before, from which a restarted engine finds out the rest.
   */
  saveIfPossible(container: Container): void {
    try {
      this.save(container);
    } catch (error) {
      this.log.warn("container.record-unsaved", { containerId: container.id, message: messageOf(error) });
    }
  }

  async saveDurably(container: Container): Promise<void> {
    if (this.#byId.get(container.id) !== container) return;
    const path = this.#sidecar(container.id);
    const aside = `${path}.durable`;
    const { record } = container;
    try {
      await using file = await open(aside, "w", 0o600);
      await file.writeFile(JSON.stringify(record));
      await file.sync();
      await rename(aside, path);
    } catch (error) {
      await rm(aside, { force: true });
      throw fileError(error, `write the record of container ${container.name}`);
    }
    if (container.record !== record) this.save(container); // changed and saved while we wrote the older state
  }

  /** Makes the container unknown, and its directory one that is going to be deleted: returns its new path. */
  forget(container: Container): string {
    this.#byId.delete(container.id);
    if (this.#byName.get(container.name) === container) this.#byName.delete(container.name);
    const doomed = join(this.root, `${removingPrefix}${container.id}`);
    try {
      renameSync(this.directory(container.id), doomed);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    return doomed;
  }

  #index(container: Container): void {
    this.#byId.set(container.id, container);
    this.#byName.set(container.name, container);
  }

  #sidecar(id: string): string {
    return join(this.directory(id), sidecarName);
  }

  #read(directory: string): ContainerRecord | undefined {
    const path = join(directory, sidecarName);
    if (!existsSync(path)) return undefined;
    try {
      const record = JSON.parse(readFileSync(path, "utf8")) as ContainerRecord;
      if (record.version === 1 && directory.endsWith(record.id)) return record;
      this.log.warn("container.record-foreign", { path, version: String(record.version) });
    } catch (error) {
      this.log.warn("container.record-unreadable", { path, message: messageOf(error) });
    }
    return undefined;
  }
}
