package io.github.cellfuse.bench.peers;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import io.github.cellfuse.CellFuseException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * ONNX Runtime's LSTM operator on its CUDA provider, in a process of its own: the library's jar for GPUs takes the
 * place of the one for CPUs. Its Java API has tensors on the host only, so a run includes both transfers.
 */
public final class OnnxRuntimeCuda {
    private static final String TITLE = "ONNX Runtime on CUDA", GPU_JAR = "onnxruntime_gpu", CPU_JAR = "onnxruntime-";

    private OnnxRuntimeCuda() {}

    /**
     * Starts the process.
     *
     * @param jar the file of onnxruntime_gpu; empty where the class path has it
     * @param folder where its log goes
     * @throws CellFuseException when there is no such jar, or no CUDA device
     */
    public static ChildProcess start(Optional<Path> jar, Path folder) {
        String[] path = System.getProperty("java.class.path").split(File.pathSeparator);
        if (jar.isEmpty() && Arrays.stream(path).noneMatch(entry -> named(entry, GPU_JAR))) {
            throw new CellFuseException(
                    TITLE + ": no " + GPU_JAR + " jar is on the class path, and --ort-gpu doesn't name one");
        }
        String withoutCpu = Stream.concat(
                        jar.map(Path::toString).stream(), Arrays.stream(path).filter(entry -> !named(entry, CPU_JAR)))
                .collect(Collectors.joining(File.pathSeparator));
        return new ChildProcess(
                TITLE,
                new ProcessBuilder(JavaCommand.of(withoutCpu, OnnxRuntimeCuda.class)),
                folder.resolve("ort-cuda.log"));
    }

    private static boolean named(String entry, String prefix) {
        return new File(entry).getName().startsWith(prefix);
    }

    public static void main(String[] args) throws IOException {
        PeerServer.serve(() -> {
            // Fails now, and not at the first shape, where the library has no CUDA.
            try {
                options().close();
                return new OnnxRuntimePeer(OnnxRuntimeCuda::options);
            } catch (OrtException e) {
                throw OnnxRuntimePeer.failed(e);
            }
        });
    }

    /** Strict float32: the provider would round products to TF32 by default. */
    private static OrtSession.SessionOptions options() throws OrtException {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        try (OrtCUDAProviderOptions cuda = new OrtCUDAProviderOptions(0)) {
            cuda.add("use_tf32", "0");
            options.addCUDA(cuda);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            return options;
        } catch (OrtException | RuntimeException e) {
            options.close();
            throw e;
        }
    }
}
