import type { ImagePlatforms } from "../../core/images/image-platforms.ts";
import type { ManifestSources } from "../../core/indexes/manifest-sources.ts";
import type { Snapshotter } from "../../core/snapshots/contract.ts";
import type { Attacher } from "../../engine/containers/attach.ts";
import type { ContainerSizer } from "../../engine/containers/container-sizer.ts";
import type { ContainerStore } from "../../engine/containers/container-store.ts";
import type { Creator } from "../../engine/containers/creator.ts";
import type { ExecService } from "../../engine/containers/exec-service.ts";
import type { Killer } from "../../engine/containers/killer.ts";
import type { Pauser } from "../../engine/containers/pauser.ts";
import type { ProcessLister } from "../../engine/containers/process-lister.ts";
import type { Remover } from "../../engine/containers/remover.ts";
import type { Renamer } from "../../engine/containers/renamer.ts";
import type { Resizer } from "../../engine/containers/resizer.ts";
import type { Restarter } from "../../engine/containers/restarter.ts";
import type { Starter } from "../../engine/containers/starter.ts";
import type { Stopper } from "../../engine/containers/stopper.ts";
import type { EventBus } from "../../engine/events/event-bus.ts";
import type { Explainer } from "../../engine/explain.ts";
import type { Committer } from "../../engine/images/committer.ts";
import type { ImageExplainer } from "../../engine/images/image-explainer.ts";
import type { ImageMounts } from "../../engine/images/image-mounts.ts";
import type { ImageSearch } from "../../engine/images/image-search.ts";
import type { ImageService } from "../../engine/images/image-service.ts";
import type { Importer } from "../../engine/images/importer.ts";
import type { ManifestLists } from "../../engine/images/manifest-lists.ts";
import type { ManifestSummaries } from "../../engine/images/manifest-summaries.ts";
import type { DiskUsage } from "../../engine/storage/disk-usage.ts";
import type { Keepers } from "../../engine/storage/keepers.ts";
import type { Pruner } from "../../engine/storage/pruner.ts";
import type { Networks } from "../../network/contract.ts";
import type { Route } from "./route.ts";
import { absentObjectRoutes } from "./routes/absent-objects.ts";
import { authRoute } from "./routes/auth.ts";
import { containerAttachRoute } from "./routes/container-attach.ts";
import { containerChangesRoute } from "./routes/container-changes.ts";
import { containerCommitRoute } from "./routes/container-commit.ts";
import { containerCreateRoute } from "./routes/container-create.ts";
import { containerExportRoute } from "./routes/container-export.ts";
import { containerInspectRoute } from "./routes/container-inspect.ts";
import { containerKillRoute } from "./routes/container-kill.ts";
import { containerListRoute } from "./routes/container-list.ts";
import { containerLogsRoute } from "./routes/container-logs.ts";
import { containerPauseRoute } from "./routes/container-pause.ts";
import { containerRemoveRoute } from "./routes/container-remove.ts";
import { containerRenameRoute } from "./routes/container-rename.ts";
import { containerResizeRoute } from "./routes/container-resize.ts";
import { containerRestartRoute } from "./routes/container-restart.ts";
import { containerStartRoute } from "./routes/container-start.ts";
import { containerStopRoute } from "./routes/container-stop.ts";
import { containerTopRoute } from "./routes/container-top.ts";
import { containerUnpauseRoute } from "./routes/container-unpause.ts";
import { containerWaitRoute } from "./routes/container-wait.ts";
import { distributionInspectRoute } from "./routes/distribution-inspect.ts";
import { eventsRoute } from "./routes/events.ts";
import { execCreateRoute } from "./routes/exec-create.ts";
import { execInspectRoute } from "./routes/exec-inspect.ts";
import { execResizeRoute } from "./routes/exec-resize.ts";
import { execStartRoute } from "./routes/exec-start.ts";
import { fsckRoute, type RunFsck } from "./routes/gantry-fsck.ts";
import { imageMountListRoute, imageMountRoute, imageUnmountRoute } from "./routes/gantry-image-mounts.ts";
import { manifestRoutes } from "./routes/gantry-manifests.ts";
import { containerPlanRoute, createPlanRoute, planDiffRoute, planRoute } from "./routes/gantry-plan.ts";
import { keepersRoute, prunePlanRoute, storageRoute } from "./routes/gantry-storage.ts";
import { imageAnatomyRoute } from "./routes/image-anatomy.ts";
import { imageCreateRoute } from "./routes/image-create.ts";
import { imageHistoryRoute } from "./routes/image-history.ts";
import { imageInspectRoute } from "./routes/image-inspect.ts";
import { imageListRoute } from "./routes/image-list.ts";
import { imageLoadRoute } from "./routes/image-load.ts";
import { imagePushRoute } from "./routes/image-push.ts";
import { imageRemoveRoute } from "./routes/image-remove.ts";
import { imageSaveOneRoute, imageSaveRoute } from "./routes/image-save.ts";
import { imageSearchRoute } from "./routes/image-search.ts";
import { imageTagRoute } from "./routes/image-tag.ts";
import { infoRoute } from "./routes/info.ts";
import { networkInspectRoute } from "./routes/network-inspect.ts";
import { networkListRoute } from "./routes/network-list.ts";
import {
  buildPruneRoute,
  containerPruneRoute,
  imagePruneRoute,
  networkPruneRoute,
  volumePruneRoute,
} from "./routes/prune.ts";
import { systemDfRoute } from "./routes/system-df.ts";
import { volumeListRoute } from "./routes/volume-list.ts";
import { unbuiltRoutes } from "./unbuilt-routes.ts";

/** What the routes answer from. */
export interface DockerServices {
  readonly store: ContainerStore;
  readonly creator: Creator;
  readonly starter: Starter;
  readonly stopper: Stopper;
  readonly restarter: Restarter;
  readonly killer: Killer;
  readonly pauser: Pauser;
  readonly processLister: ProcessLister;
  readonly remover: Remover;
  readonly renamer: Renamer;
  readonly resizer: Resizer;
  readonly attacher: Attacher;
  readonly execs: ExecService;
  readonly sizer: ContainerSizer;
  readonly images: ImageService;
  readonly platforms: ImagePlatforms;
  readonly manifests: ManifestSummaries;
  readonly committer: Committer;
  readonly imageMounts: ImageMounts;
  readonly importer: Importer;
  readonly imageExplainer: ImageExplainer;
  readonly imageSearch: ImageSearch;
  readonly manifestLists: ManifestLists;
  readonly manifestSources: Pick<ManifestSources, "inRegistry">;
  readonly snapshots: Snapshotter;
  readonly networks: Networks;
  readonly bus: EventBus;
  readonly explainer: Explainer;
  readonly diskUsage: DiskUsage;
  readonly pruner: Pruner;
  readonly keepers: Keepers;
  readonly systemInfo: () => object;
  readonly fsck: RunFsck;
}

/** All routes but those that answer before the engine is ready (`ping.ts`, `version.ts`). */
export const dockerRoutes = (services: DockerServices): Route[] => [
  ...containerRoutes(services),
  ...execRoutes(services),
  ...imageRoutes(services),
  imageSearchRoute(services.imageSearch),
  ...manifestRoutes(services.manifestLists),
  distributionInspectRoute(services.manifestSources),
  infoRoute(services.systemInfo),
  authRoute(services.images),
  eventsRoute(services.bus),
  networkListRoute(services.networks),
  networkInspectRoute(services.networks, services.store),
  volumeListRoute,
  ...absentObjectRoutes,
  ...storageRoutes(services),
  containerPlanRoute(services.explainer),
  createPlanRoute(services.explainer),
  planRoute(services.explainer),
  planDiffRoute(services.explainer),
  fsckRoute(services.fsck),
  ...unbuiltRoutes,
];

function containerRoutes(services: DockerServices): Route[] {
  const { store, snapshots, sizer, images } = services;
  return [
    containerCreateRoute(services.creator),
    containerListRoute(store, sizer, (reference) => images.idsOf(reference)),
    containerInspectRoute(store, snapshots, sizer),
    containerStartRoute(store, services.starter),
    containerStopRoute(store, services.stopper),
    containerRestartRoute(store, services.restarter),
    containerKillRoute(store, services.killer),
    containerPauseRoute(store, services.pauser),
    containerUnpauseRoute(store, services.pauser),
    containerTopRoute(store, services.processLister),
    containerRenameRoute(store, services.renamer),
    containerResizeRoute(store, services.resizer),
    containerWaitRoute(store),
    containerAttachRoute(store, services.attacher),
    containerLogsRoute(store),
    containerChangesRoute(store, snapshots),
    containerCommitRoute(store, services.committer),
    containerExportRoute(store, snapshots, services.bus),
    containerRemoveRoute(store, services.remover),
  ];
}

const storageRoutes = ({ diskUsage, pruner, keepers }: DockerServices): Route[] => [
  systemDfRoute(diskUsage),
  containerPruneRoute(pruner),
  imagePruneRoute(pruner),
  networkPruneRoute,
  volumePruneRoute,
  buildPruneRoute,
  storageRoute(diskUsage),
  keepersRoute(keepers),
  prunePlanRoute(pruner),
];

const execRoutes = ({ store, execs }: DockerServices): Route[] => [
  execCreateRoute(store, execs),
  execStartRoute(execs),
  execResizeRoute(execs),
  execInspectRoute(execs),
];

const imageRoutes = ({
  images,
  imageMounts,
  importer,
  platforms,
  manifests,
  imageExplainer,
  snapshots,
}: DockerServices): Route[] => [
  imageAnatomyRoute(imageExplainer),
  imageMountListRoute(imageMounts),
  imageMountRoute(images, imageMounts),
  imageUnmountRoute(images, imageMounts),
  imageCreateRoute(images, importer),
  imageListRoute(images, snapshots, manifests),
  imageLoadRoute(images),
  imagePushRoute(images),
  imageSaveRoute(images),
  imageSaveOneRoute(images),
  imageInspectRoute(platforms, { snapshots, mounts: imageMounts }, manifests),
  imageHistoryRoute(platforms, snapshots),
  imageTagRoute(images),
  imageRemoveRoute(images),
];
