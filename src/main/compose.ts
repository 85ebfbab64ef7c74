import { hostname } from "node:os";
import { join } from "node:path";
import { dockerRoutes } from "../api/docker/docker-routes.ts";
import type { Route } from "../api/docker/route.ts";
import { FileContentStore } from "../core/content/file-content-store.ts";
import { Collector } from "../core/gc/collector.ts";
import { readReferences } from "../core/gc/read-references.ts";
import { FileImageStore } from "../core/images/file-image-store.ts";
import { ImagePlatforms } from "../core/images/image-platforms.ts";
import { IndexDrafts } from "../core/indexes/index-drafts.ts";
import { ManifestSources } from "../core/indexes/manifest-sources.ts";
import { Leases } from "../core/leases/leases.ts";
import { PersistentLeases } from "../core/leases/persistent-leases.ts";
import { openSnapshotter } from "../core/snapshots/open-snapshotter.ts";
import { WorkerPool } from "../core/unpack/worker-pool.ts";
import { ContainerEvents } from "../engine/containers/container-events.ts";
import { EventBus } from "../engine/events/event-bus.ts";
import { Committer } from "../engine/images/committer.ts";
import { ImageExplainer } from "../engine/images/image-explainer.ts";
import { ImageMounts } from "../engine/images/image-mounts.ts";
import { ImageSearch } from "../engine/images/image-search.ts";
import { ImageService } from "../engine/images/image-service.ts";
import { Importer } from "../engine/images/importer.ts";
import { ManifestLists } from "../engine/images/manifest-lists.ts";
import { ManifestSummaries } from "../engine/images/manifest-summaries.ts";
import { systemInfo } from "../engine/system/system-info.ts";
import { setAddonPath } from "../kernel/addon.ts";
import { detectHost } from "../kernel/host-facts.ts";
import { preferThisThread } from "../kernel/thread-priority.ts";
import type { Log } from "../log/log.ts";
import { createNetworks } from "../network/create-networks.ts";
import type { ReloadableSettings } from "../registry/client/registry-settings.ts";
import { ReceiverThread } from "../registry/receive/receiver-thread.ts";
import { HelperShimLauncher } from "../shim/helper-shim-launcher.ts";
import { composeContainers } from "./compose-containers.ts";
import { composeEngineRegistry } from "./compose-engine-registry.ts";
import { composeEngineFsck } from "./compose-fsck.ts";
import { composeImageMaker } from "./compose-image-maker.ts";
import { composeStorage } from "./compose-storage.ts";
import { composeRegistries, composeTransfer } from "./compose-transfer.ts";
import { embeddedFiles } from "./embedded/embedded-files.ts";
import { installEmbedded } from "./embedded/install-embedded.ts";
import { engineId } from "./engine-id.ts";
import type { EngineOptions } from "./engine-options.ts";

/** An engine that is ready to serve. */
export interface Engine {
  readonly routes: readonly Route[];
  /** How registries are reached from now on. */
  reload(settings: ReloadableSettings): void;
  /** Lets go of everything; containers go on. */
  close(): Promise<void>;
}

const warmUpDelayMs = 150;
/** Until then a crashed engine's clients have come back. */
const firstCollectionDelayMs = 5000;
const collectionIntervalMs = 6 * 3600 * 1000;
/** A download that broke off may be gone on with for a day. */
const partialsOlderThanMs = 24 * 3600 * 1000;
/** Each is a process of some 60 KiB. */
const waitingShims = 2;

/** The only wiring: builds all services, top to bottom, and adopts what an earlier engine left. */
export async function compose(options: EngineOptions, log: Log): Promise<Engine> {
  const { root, state } = options;
  const native = join(state, "native");
  const addonPath = installEmbedded(embeddedFiles.addon, "gantry-addon", native);
  setAddonPath(addonPath);
  preferThisThread();
  const host = detectHost();
  const bus = new EventBus();

  const workers = new WorkerPool({ addonPath, limits: options.layerLimits });
  const receiver = new ReceiverThread();
  const content = new FileContentStore(join(root, "content"), receiver);
  const snapshots = await openSnapshotter({
    root: join(root, "snapshots"),
    driver: options.storageDriver,
    trees: workers,
    log,
  });
  const leases = new Leases();
  const images = await FileImageStore.open({
    directory: join(root, "images"),
    content,
    snapshots,
    leases,
    log,
  });
  const persistentLeases = await PersistentLeases.open({
    directory: join(root, "leases"),
    leases,
    references: (resource) => readReferences({ content, snapshots }, resource),
    log,
  });

  const registry = await composeEngineRegistry({
    root,
    content,
    leases,
    images,
    options: options.registry,
    log,
  });
  const networks = createNetworks({ root, state, log, bridgeName: options.bridge, subnet: options.subnet });
  const shims = new HelperShimLauncher(embeddedFiles.helper, { waitingShims, log });
  const initPath = installEmbedded(embeddedFiles.helper, "gantry-init", native);
  const containers = composeContainers({
    root,
    state,
    host,
    snapshots,
    images,
    leases,
    networks,
    shims,
    initPath,
    bus,
    log,
  });

  let registrySettings = options.registries;
  const registries = composeRegistries(() => registrySettings, options.transfers);
  const transfer = composeTransfer({
    root,
    content,
    snapshots,
    images,
    leases,
    workers,
    log,
    registries,
    transfers: options.transfers,
  });
  const imageMounts = new ImageMounts(join(state, "image-mounts"), snapshots, leases, log);
  const imageService = new ImageService(
    images,
    transfer,
    containers.store,
    containers.remover,
    bus,
    imageMounts,
  );
  const maker = composeImageMaker({
    content,
    snapshots,
    images,
    leases,
    workers,
    spoolDirectory: content.spoolDirectory,
    compression: options.layerCompression,
  });
  const events = new ContainerEvents(bus);
  const committer = new Committer(maker, images, snapshots, containers.pauser, events, bus);
  const platforms = new ImagePlatforms(images, content);
  const sources = new ManifestSources(registries, images, content);
  const manifestLists = new ManifestLists(new IndexDrafts(join(root, "indexes")), sources, registries);
  const imageExplainer = new ImageExplainer(images, content, snapshots, leases, platforms, workers);
  const collector = new Collector({
    content,
    snapshots,
    images,
    leases,
    persistent: persistentLeases,
    containerOf: (key) => containers.store.ownerOf(key),
    log,
  });
  const id = engineId(root);

  await containers.adopter.adopt();
  // After whoever waited for this engine was answered.
  setTimeout(() => {
    shims.prepare();
    containers.planner.warmUp();
  }, warmUpDelayMs).unref();
  collectRegularly(collector);

  return {
    routes: dockerRoutes({
      ...containers,
      images: imageService,
      platforms,
      manifests: new ManifestSummaries(platforms, content, (image) => imageService.containersOf(image)),
      committer,
      imageMounts,
      importer: new Importer(maker, bus),
      imageExplainer,
      imageSearch: new ImageSearch(registries),
      ...composeStorage({ content, snapshots, images: imageService, containers, collector, bus }),
      manifestLists,
      manifestSources: sources,
      snapshots,
      networks,
      bus,
      fsck: composeEngineFsck({
        limits: options.layerLimits,
        root,
        addonPath,
        content,
        snapshots,
        images,
        leases,
        workers,
        registries,
      }),
      systemInfo: () =>
        systemInfo({
          host,
          containers: containers.store.list(),
          imageCount: images.list().length,
          storage: snapshots,
          rootDirectory: root,
          eventListeners: bus.listenerCount,
          engineId: id,
          registries: registrySettings,
          debug: options.logLevel === "debug",
        }),
    }),
    reload: (settings) => {
      registry.reload();
      const { mirrors, insecureRegistries, layerUrlHosts, nondistributableRegistries } = settings;
      registrySettings = {
        ...{ ...registrySettings, mirrors, insecureRegistries },
        ...{ layerUrlHosts, nondistributableRegistries },
      };
      bus.publish("daemon", "reload", id, {
        name: hostname(),
        "allow-nondistributable-artifacts": JSON.stringify(nondistributableRegistries),
        "insecure-registries": JSON.stringify(insecureRegistries),
        "registry-mirrors": JSON.stringify((mirrors["docker.io"] ?? []).map(({ url }) => url)),
      });
    },
    close: async () => {
      registry.close();
      await Promise.all(containers.store.list().map(({ cleanup }) => cleanup));
      await containers.remover.settle();
      await Promise.all([networks.close(), shims.close()]);
      workers.close();
      receiver[Symbol.dispose]();
    },
  };
}

/** What a crash, or a download that nobody repeats, has left. */
function collectRegularly(collector: Collector): void {
  const run = () => void collector.run({ partialsOlderThanMs });
  setTimeout(run, firstCollectionDelayMs).unref();
  setInterval(run, collectionIntervalMs).unref();
}
