package io.github.cellfuse.bench.peers;

import io.github.cellfuse.CellFuseException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A contender's process, as seen by the process that schedules the turns. Not thread safe. */
final class WorkerProcess extends ChildProcess {
    /**
     * Settings of the OpenMP runtimes and of the libraries that a user's shell may carry: all start from the defaults.
     */
    private static final List<String> CLEARED =
            List.of("OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "OPENBLAS_", "ORT_");

    private final Contender contender;
    private final Waiting waiting;

    private WorkerProcess(Contender contender, Waiting waiting, ProcessBuilder builder, Path log) {
        super(contender.title(), builder, log);
        this.contender = contender;
        this.waiting = waiting;
    }

    /**
     * Starts a contender.
     *
     * @param folder where its log goes
     * @throws CellFuseException when its library doesn't run here
     */
    static WorkerProcess start(Contender contender, Settings settings, Path folder) {
        List<String> command = JavaCommand.of(System.getProperty("java.class.path"), Worker.class);
        command.add(contender.key());
        command.addAll(List.of(
                settings.task().name(),
                Integer.toString(settings.threads()),
                settings.waiting().name(),
                settings.device(),
                Double.toString(settings.tuning()),
                settings.tuned().toString()));
        settings.voiceModel().ifPresent(file -> command.add(file.toString()));
        Path log = folder.resolve(contender.key() + "-" + settings.waiting().key() + ".log");
        ProcessBuilder builder = new ProcessBuilder(command);
        environment(builder.environment(), settings);
        return new WorkerProcess(contender, settings.waiting(), builder, log);
    }

    private static void environment(Map<String, String> environment, Settings settings) {
        environment.keySet().removeIf(name -> CLEARED.stream().anyMatch(name::startsWith));
        environment.put("OMP_NUM_THREADS", Integer.toString(settings.threads()));
        environment.put("POCL_MAX_PTHREAD_COUNT", Integer.toString(settings.threads()));
        if (settings.waiting() == Waiting.SLEEP) {
            environment.put("OMP_WAIT_POLICY", "passive");
            environment.put("GOMP_SPINCOUNT", "0");
            environment.put("KMP_BLOCKTIME", "0");
        }
    }

    Contender contender() {
        return contender;
    }

    /** Returns what its threads do between the pieces of a run. */
    Waiting waiting() {
        return waiting;
    }
}
