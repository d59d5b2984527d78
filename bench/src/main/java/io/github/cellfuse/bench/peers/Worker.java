package io.github.cellfuse.bench.peers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** The process of one contender. */
final class Worker {
    private Worker() {}

    /**
     * Arguments: contender, task, threads, waiting, device, seconds of tuning, folder of what is tuned, and the file of
     * the voice-activity model if it isn't ours.
     */
    public static void main(String[] args) throws IOException {
        Settings settings = new Settings(
                Task.valueOf(args[1]),
                Integer.parseInt(args[2]),
                Waiting.valueOf(args[3]),
                args[4],
                Double.parseDouble(args[5]),
                Path.of(args[6]),
                args.length > 7 ? Optional.of(Path.of(args[7])) : Optional.empty());
        PeerServer.serve(() -> Contender.of(args[0]).open(settings));
    }
}
