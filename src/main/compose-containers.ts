import { join } from "node:path";
import type { ImageStore } from "../core/images/contract.ts";
import type { Leases } from "../core/leases/leases.ts";
import type { Snapshotter } from "../core/snapshots/contract.ts";
import { Adopter } from "../engine/containers/adopter.ts";
import { Attacher } from "../engine/containers/attach.ts";
import { ContainerCgroups } from "../engine/containers/container-cgroups.ts";
import { ContainerEvents } from "../engine/containers/container-events.ts";
import { ContainerSizer } from "../engine/containers/container-sizer.ts";
import { ContainerStore } from "../engine/containers/container-store.ts";
import { ContainerTops } from "../engine/containers/container-tops.ts";
import { Creator } from "../engine/containers/creator.ts";
import { DeviceLookup } from "../engine/containers/device-lookup.ts";
import { ExecPlanner } from "../engine/containers/exec-planner.ts";
import { ExecService } from "../engine/containers/exec-service.ts";
import { ExitHandler } from "../engine/containers/exit-handler.ts";
import { Killer } from "../engine/containers/killer.ts";
import { Pauser } from "../engine/containers/pauser.ts";
import { ProcessLister } from "../engine/containers/process-lister.ts";
import { Remover } from "../engine/containers/remover.ts";
import { Renamer } from "../engine/containers/renamer.ts";
import { Resizer } from "../engine/containers/resizer.ts";
import { Restarter } from "../engine/containers/restarter.ts";
import { runFilePaths } from "../engine/containers/run-files.ts";
import { RunPlanner } from "../engine/containers/run-planner.ts";
import { RunResources } from "../engine/containers/run-resources.ts";
import { SpecSource } from "../engine/containers/spec-source.ts";
import { Starter } from "../engine/containers/starter.ts";
import { Stopper } from "../engine/containers/stopper.ts";
import type { EventBus } from "../engine/events/event-bus.ts";
import { Explainer } from "../engine/explain.ts";
import type { HostFacts } from "../kernel/host-facts.ts";
import type { Log } from "../log/log.ts";
import type { Networks } from "../network/contract.ts";
import type { ShimLauncher } from "../shim/contract.ts";

export interface ContainerParts {
  readonly root: string;
  readonly state: string;
  readonly host: HostFacts;
  readonly snapshots: Snapshotter;
  readonly images: ImageStore;
  readonly leases: Leases;
  readonly networks: Networks;
  readonly shims: ShimLauncher;
  readonly initPath: string;
  readonly bus: EventBus;
  readonly log: Log;
}

/** The services around containers; their records are read here. */
export function composeContainers(parts: ContainerParts) {
  const { root, state, host, snapshots, images, networks, shims, bus, log } = parts;
  const store = new ContainerStore(join(root, "containers"), log);
  store.open();
  const events = new ContainerEvents(bus);
  const cgroups = new ContainerCgroups(host.cgroup);
  const resources = new RunResources(state, snapshots, networks, shims, cgroups, log);

  const pidOf = (reference: string): number => store.get(reference).liveShim().init.pid;
  const specs = new SpecSource(host, new DeviceLookup(), pidOf, parts.initPath);
  const filesOf = (id: string) => runFilePaths(store.directory(id));
  const execs = new ExecService(new ExecPlanner(specs, snapshots, cgroups, filesOf), events);

  const killer = new Killer(events, cgroups);
  const tops = new ContainerTops(snapshots, images);
  const remover = new Remover(store, tops, resources, killer, execs, events, log);
  const exits = new ExitHandler(store, resources, remover, cgroups, events, log);
  const creator = new Creator(store, images, snapshots, networks, specs, events);
  const planner = new RunPlanner(specs);
  const starter = new Starter(
    store,
    snapshots,
    networks,
    shims,
    planner,
    resources,
    cgroups,
    exits,
    remover,
    events,
    log,
  );
  const stopper = new Stopper(events, killer);
  return {
    store,
    creator,
    starter,
    stopper,
    restarter: new Restarter(events, stopper, starter),
    killer,
    pauser: new Pauser(store, events, cgroups),
    processLister: new ProcessLister(cgroups, events),
    remover,
    renamer: new Renamer(store, events),
    resizer: new Resizer(events),
    attacher: new Attacher(events),
    execs,
    sizer: new ContainerSizer(snapshots, images),
    planner,
    explainer: new Explainer(store, creator, images, snapshots, parts.leases, specs, filesOf),
    adopter: new Adopter(
      store,
      snapshots,
      networks,
      shims,
      resources,
      cgroups,
      exits,
      (key) => parts.leases.holds({ kind: "snapshot", name: key }),
      log,
    ),
  };
}
