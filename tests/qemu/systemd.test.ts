import { afterAll, beforeAll, describe } from "bun:test";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gantryPath, scratchDirectory } from "../fixtures/places.ts";
import { checkpointModules, findCheckpointPrograms, noCheckpointPrograms } from "./checkpoint-checks.ts";
import { bootGuest, commonFunctions, kernel, missing, runChecks, testChecks } from "./guest.ts";
import { packInitramfs } from "./initramfs.ts";
import { systemdCheckpointBundles, systemdCheckpointChecks } from "./systemd-checkpoint-checks.ts";
import { systemdBundles, systemdChecks, systemdFunctions } from "./systemd-checks.ts";

/**
 * The OCI runtime with --systemd-cgroup on a machine whose process 1 is systemd: Debian's, with no unit but the one that runs the
 * checks.
 */
const systemd = "/lib/systemd/systemd";
const programs = ["systemctl", "runc", "setpriv", "dbus-daemon"];

const checkpointPrograms = findCheckpointPrograms();
const noCheckpoints = checkpointPrograms === undefined ? noCheckpointPrograms : "";
const modules = noCheckpoints ? [] : checkpointModules;
const bundles = { ...systemdBundles, ...systemdCheckpointBundles };
const checks = { ...systemdChecks, ...(noCheckpoints ? {} : systemdCheckpointChecks) };

const guestInit = `#!/bin/sh
/bin/busybox mount -t proc proc /proc # --install asks it where busybox is
/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /etc/systemd/system /etc/systemd/user /etc/dbus-1
echo 'root:x:0:0::/:/bin/sh
user:x:1000:1000::/:/bin/sh' > /etc/passwd
cat > /bin/check-functions << 'END'
${commonFunctions}${systemdFunctions}
END
cat > /bin/run-checks << 'END'
#!/bin/sh
export PATH=/bin:/usr/bin HOME=/root
for name in ${Object.keys(bundles).join(" ")}; do
  mkdir -p /images/bundles/$name/rootfs/bin
  cp /bin/busybox /images/bundles/$name/rootfs/bin/
  chroot /images/bundles/$name/rootfs /bin/busybox --install -s /bin
done
for module in ${modules.join(" ")}; do modprobe "$module" || echo "# no module $module"; done
${runChecks(checks)}
END
chmod 755 /bin/run-checks
cat > /etc/systemd/system/checks.service << 'END'
[Unit]
DefaultDependencies=no
[Service]
ExecStart=/bin/run-checks
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
END
cat > /etc/systemd/system/user-systemd.service << 'END'
[Unit]
DefaultDependencies=no
[Service]
User=1000
Delegate=yes
Environment=XDG_RUNTIME_DIR=/run/user/1000
ExecStart=${systemd} --user --unit=idle.target
END
cat > /etc/systemd/user/idle.target << 'END'
[Unit]
DefaultDependencies=no
END
cat > /etc/systemd/system/dbus.socket << 'END'
[Unit]
DefaultDependencies=no
[Socket]
ListenStream=/run/dbus/system_bus_socket
END
cat > /etc/systemd/system/dbus.service << 'END'
[Unit]
DefaultDependencies=no
Requires=dbus.socket
[Service]
ExecStart=/usr/bin/dbus-daemon --config-file=/etc/dbus-1/test.conf --address=systemd: --nofork
END
cat > /etc/dbus-1/test.conf << 'END'
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*"/><allow send_type="signal"/><allow receive_sender="*"/>
  </policy>
</busconfig>
END
exec ${systemd} --unit=checks.service --show-status=no
`;

const reason =
  missing ||
  (existsSync(systemd)
    ? (programs.find((name) => Bun.which(name) === null) ?? "").replace(/.+/, "no $&")
    : "no systemd");

describe.skipIf(reason !== "")(`on a machine that systemd runs${reason && ` (${reason})`}`, () => {
  const directory = scratchDirectory("qemu-systemd");
  let output = "";

  beforeAll(async () => {
    if (kernel === undefined) return;
    const initrd = join(directory, "initramfs");
    const paths = programs.map((name) => [`usr/bin/${name}`, Bun.which(name) ?? ""] as const);
    const files = Object.entries(bundles).map(([name, config]) => {
      const path = join(directory, `${name}.json`);
      writeFileSync(path, JSON.stringify(config));
      return [`images/bundles/${name}/config.json`, path] as const;
    });
    await packInitramfs(
      {
        kernel,
        modules,
        programs: {
          "bin/gantry": gantryPath,
          [systemd.slice(1)]: systemd,
          ...Object.fromEntries(paths),
          ...checkpointPrograms,
        },
        librariesOf: [process.execPath],
        files: Object.fromEntries(files),
        init: guestInit,
      },
      initrd,
    );
    output = await bootGuest(kernel.image, initrd);
  }, 460_000);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  testChecks(systemdChecks, () => output);
  describe.skipIf(noCheckpoints !== "")(`with criu${noCheckpoints && ` (${noCheckpoints})`}`, () => {
    testChecks(systemdCheckpointChecks, () => output);
  });
});
