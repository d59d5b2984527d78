package io.github.cellfuse.bench.gpu;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Tier;
import io.github.cellfuse.bench.Shape;
import io.github.cellfuse.bench.peers.ChildProcess;
import io.github.cellfuse.bench.peers.Commands;
import io.github.cellfuse.bench.peers.ContestOptions;
import io.github.cellfuse.bench.peers.Machine;
import io.github.cellfuse.bench.peers.OnnxRuntimeCuda;
import io.github.cellfuse.bench.peers.TunedFirst;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench/compare --gpu}: CellFuse on an OpenCL GPU against torch and ONNX Runtime on CUDA, in turns. */
@Command(
        name = "bench/compare --gpu",
        header = "Time CellFuse on an OpenCL GPU against torch.nn.LSTM and ONNX Runtime on CUDA, in turns.",
        description = {
            "",
            "One forward layer on random data, the same for all. Results are compared before anything is timed:"
                    + " whoever is wrong is named, not timed, and the command ends with status 1. Times are medians"
                    + " over the rounds. The ratio is torch's time in strict float32 over CellFuse's, by the device's"
                    + " clock and paired by rounds: above 1, CellFuse is faster. TF32 and float16 are less precise"
                    + " and have no ratio. Whatever isn't here is left out by name. docs/lab/benchmarking.md has the"
                    + " details.",
            ""
        })
final class CompareGpu implements Callable<Integer> {
    @Mixin
    private ContestOptions options = new ContestOptions();

    @Option(names = "--gpu", required = true, description = "Compare on a GPU, not on this processor.")
    private boolean gpu;

    @Option(
            names = "--shape",
            paramLabel = "T,N,I,H",
            description = "Time steps, rows, features, hidden units; may be given more than once. Default: twelve"
                    + " shapes.")
    private List<String> shapes = List.of();

    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            description = "CellFuse's device, such as opencl:0.0. Default: the first OpenCL GPU.")
    private String device;

    @Option(
            names = "--any-device",
            description = "An OpenCL device that is no GPU will do, and so will torch on the processor: to see that"
                    + " all works, not to quote.")
    private boolean anyDevice;

    @Option(
            names = "--python",
            paramLabel = "COMMAND",
            defaultValue = "python3",
            description = "A Python that has torch. Default: ${DEFAULT-VALUE}.")
    private String python = "python3";

    @Option(
            names = "--ort-gpu",
            paramLabel = "JAR",
            description = "ONNX Runtime's jar for GPUs, com.microsoft.onnxruntime:onnxruntime_gpu. Default: the one on"
                    + " the class path, if any.")
    private Path ortGpu;

    public static void main(String[] args) {
        System.exit(Commands.execute(new CompareGpu(), args));
    }

    @Override
    public Integer call() throws IOException {
        options.check();
        if (ortGpu != null && !Files.isReadable(ortGpu)) {
            throw new InvalidInputException("--ort-gpu: expected a file that can be read, found " + ortGpu);
        }
        List<Shape> sizes = shapes.isEmpty()
                ? options.usualLayers()
                : shapes.stream().map(Shape::parse).toList();
        return Commands.inTemporaryFolder(folder -> run(sizes, folder));
    }

    private int run(List<Shape> sizes, Path folder) {
        TunedFirst tuning = new TunedFirst(options.tuning(), folder.resolve("tuned"));
        tuning.use();
        GpuReport report = new GpuReport(
                Machine.name(), options.effort(), new LinkedHashMap<>(), new LinkedHashMap<>(), new ArrayList<>());
        System.out.println(report.machine() + ", " + report.effort().rounds() + " rounds");
        Optional<Device> ours = ours(report, tuning);
        Map<GpuPeer, ChildProcess> peers = start(folder, report);
        try {
            if (ours.isEmpty() && peers.isEmpty()) {
                throw new CellFuseException("there is nothing to time here; see above");
            }
            System.out.println();
            System.out.println(GpuReport.header());
            GpuMatch match = new GpuMatch(ours, tuning, peers, report.effort(), folder);
            for (Shape size : sizes) {
                GpuResult result = match.play(size);
                report.results().add(result);
                System.out.println(GpuReport.line(result));
            }
        } finally {
            peers.values().forEach(ChildProcess::close);
        }
        System.out.println(GpuReport.NOTE);
        System.out.println(report.summary());
        options.json().ifPresent(report::write);
        if (report.hasFailures()) {
            System.err.println("cellfuse: error: a result is wrong or a contender failed; see above");
            return 1;
        }
        return 0;
    }

    /** Returns CellFuse's device, which it prints; empty where there is no GPU. */
    private Optional<Device> ours(GpuReport report, TunedFirst tuning) {
        List<DeviceInfo> all = Device.all().stream()
                .filter(info -> info.device() instanceof Device.OpenCl)
                .toList();
        Optional<DeviceInfo> found = device == null ? choose(all) : Optional.of(named(all));
        if (found.isPresent()) {
            String text = found.get().device() + " (" + found.get().name() + ")" + tuning.note();
            report.versions().put(GpuReport.OURS, text);
            System.out.println("CellFuse on " + text);
        } else {
            String reason = "no OpenCL GPU";
            report.missing().put(GpuReport.OURS, reason);
            System.err.println("cellfuse: CellFuse is left out: " + reason);
        }
        return found.map(DeviceInfo::device);
    }

    /** The first GPU that gives the bits of the contract, or else the first GPU. */
    private Optional<DeviceInfo> choose(List<DeviceInfo> all) {
        List<DeviceInfo> allowed = Stream.concat(
                        all.stream().filter(info -> info.kind() == DeviceInfo.Kind.GPU),
                        all.stream().filter(info -> anyDevice))
                .toList();
        return allowed.stream()
                .filter(info -> info.tier() == Tier.EXACT)
                .findFirst()
                .or(() -> allowed.stream().findFirst());
    }

    private DeviceInfo named(List<DeviceInfo> all) {
        Device wanted = Device.parse(device);
        DeviceInfo found = all.stream()
                .filter(info -> info.device().equals(wanted))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("--device: expected one of "
                        + all.stream().map(info -> info.device().toString()).toList() + ", found " + device));
        if (found.kind() != DeviceInfo.Kind.GPU && !anyDevice) {
            throw new InvalidInputException("--device: expected a GPU, found " + device + ", which is a " + found.kind()
                    + "; --any-device allows it");
        }
        return found;
    }

    /** Starts the peers, at the same time, as importing torch takes seconds. Says who is left out, and why. */
    private Map<GpuPeer, ChildProcess> start(Path folder, GpuReport report) {
        Map<GpuPeer, CompletableFuture<ChildProcess>> starting = new EnumMap<>(GpuPeer.class);
        for (GpuPeer peer : GpuPeer.values()) {
            starting.put(peer, CompletableFuture.supplyAsync(() -> start(peer, folder)));
        }
        Map<GpuPeer, ChildProcess> started = new EnumMap<>(GpuPeer.class);
        Map<String, List<GpuPeer>> reasons = new LinkedHashMap<>();
        starting.forEach((peer, process) -> {
            try {
                started.put(peer, process.join());
                report.versions().put(peer.key(), started.get(peer).version());
                System.out.println(peer.title() + ": " + started.get(peer).version());
            } catch (CompletionException e) {
                if (!(e.getCause() instanceof CellFuseException)) {
                    throw e;
                }
                String reason = withoutTitle(peer, e.getCause().getMessage());
                report.missing().put(peer.key(), reason);
                reasons.computeIfAbsent(reason, text -> new ArrayList<>()).add(peer);
            }
        });
        reasons.forEach((reason, peers) -> System.err.println(
                "cellfuse: " + GpuPeer.titles(peers) + (peers.size() == 1 ? " is" : " are") + " left out: " + reason));
        return started;
    }

    private ChildProcess start(GpuPeer peer, Path folder) {
        return peer.torchMode().isEmpty()
                ? OnnxRuntimeCuda.start(Optional.ofNullable(ortGpu), folder)
                : TorchProcess.start(python, script(), peer, anyDevice, folder);
    }

    /** The scripts that start this command say where it is. */
    private static Path script() {
        return Path.of(System.getProperty("cellfuse.bench.peer", "bench/gpu/peer.py"));
    }

    private static String withoutTitle(GpuPeer peer, String message) {
        String title = peer.title() + ": ";
        return message.startsWith(title) ? message.substring(title.length()) : message;
    }
}
