package io.github.cellfuse.bench.gpu;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.bench.peers.ChildProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Starts {@code bench/gpu/peer.py}, which runs torch.nn.LSTM in one precision. */
final class TorchProcess {
    private TorchProcess() {}

    /**
     * Starts the process.
     *
     * @param python the command of a Python that has torch
     * @param script the file of peer.py
     * @param peer one that has a mode of the script
     * @param anyDevice whether the processor will do
     * @param folder where the problems are, and the log goes
     * @throws CellFuseException when there is no torch, or no CUDA device
     */
    static ChildProcess start(String python, Path script, GpuPeer peer, boolean anyDevice, Path folder) {
        String mode = peer.torchMode().orElseThrow();
        List<String> command = new ArrayList<>(List.of(python, script.toString(), "worker", mode, folder.toString()));
        if (anyDevice) {
            command.add("any");
        }
        ProcessBuilder builder = new ProcessBuilder(command);
        dropSignalLibrary(builder.environment());
        return new ChildProcess(peer.title(), builder, folder.resolve("torch-" + mode + ".log"));
    }

    /** Removes the JDK's libjsig, which the scripts load before everything else: it is there for Java. */
    private static void dropSignalLibrary(Map<String, String> environment) {
        String preload = environment.remove("LD_PRELOAD");
        if (preload != null) {
            List<String> rest = Arrays.stream(preload.split("[: ]+"))
                    .filter(library -> !library.isEmpty() && !library.endsWith("libjsig.so"))
                    .toList();
            if (!rest.isEmpty()) {
                environment.put("LD_PRELOAD", String.join(":", rest));
            }
        }
    }
}
