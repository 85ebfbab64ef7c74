/** SELinux cannot label these as a whole: they keep what the policy says. */
const labelledByPolicy = new Set(["proc", "sysfs", "mqueue", "cgroup", "cgroup2"]);

/**
 * Adds `linux.mountLabel` to the data of a new file system, as SELinux takes it (mount(8), "context="), unless the mount has a
 * context of its own. Pure.
 */
export function withMountLabel(
  data: readonly string[],
  fstype: string,
  label: string | undefined,
): readonly string[] {
  if (label === undefined || label === "" || labelledByPolicy.has(fstype)) return data;
  const own = data.some((option) => /^(def|fs|root)?context=/.test(option));
  return own ? data : [...data, `context=${label}`];
}
