import type { DBusValue } from "../../kernel/dbus/values.ts";
import type { UnitProperty } from "../../kernel/systemd/service-manager.ts";

/** Collects properties of a unit. One that is set again takes the place of what was said before. */
export class PropertyList {
  readonly #byName = new Map<string, UnitProperty>();

  set(name: string, signature: string, value: DBusValue): this {
    this.#byName.delete(name);
    this.#byName.set(name, { name, signature, value });
    return this;
  }

  get properties(): UnitProperty[] {
    return [...this.#byName.values()];
  }
}
