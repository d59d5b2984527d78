package io.github.cellfuse.bench.peers;

import io.github.cellfuse.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Who takes part, in the order of their turns. */
enum Contender {
    OURS("ours", "CellFuse", CellFusePeer::new, CellFuseTaggerPeer::new, CellFuseVoicePeer::new),
    ONEDNN("onednn", "oneDNN", OneDnnPeer::new),
    ORT("ort", "ONNX Runtime", OnnxRuntimePeer::new, OnnxRuntimeTaggerPeer::new, OnnxRuntimeVoicePeer::new),
    PYTORCH("pytorch", "PyTorch", PyTorchPeer::new);

    private final String key;
    private final String title;
    private final Map<Task, Function<Settings, Peer>> openers;

    /** A library that runs no graphs. */
    Contender(String key, String title, Function<Settings, Peer> layer) {
        this.key = key;
        this.title = title;
        openers = Map.of(Task.LAYER, layer);
    }

    Contender(
            String key,
            String title,
            Function<Settings, Peer> layer,
            Function<Settings, Peer> tagger,
            Function<Settings, Peer> voice) {
        this.key = key;
        this.title = title;
        openers = Map.of(Task.LAYER, layer, Task.TAGGER, tagger, Task.VOICE, voice);
    }

    /** Returns the name in commands and in JSON. */
    String key() {
        return key;
    }

    /** Returns the name for people. */
    String title() {
        return title;
    }

    /**
     * Loads the library.
     *
     * @throws LinkageError or RuntimeException where it doesn't run here
     */
    Peer open(Settings settings) {
        return openers.get(settings.task()).apply(settings);
    }

    /** Returns the contender of that name. */
    static Contender of(String key) {
        for (Contender contender : values()) {
            if (contender.key.equals(key)) {
                return contender;
            }
        }
        throw new InvalidInputException("contender: expected one of "
                + Arrays.stream(values()).map(Contender::key).collect(Collectors.joining(", ")) + "; found '" + key
                + "'");
    }

    /** Returns whether it takes part in a task: not everybody runs whole ONNX graphs. */
    boolean plays(Task task) {
        return openers.containsKey(task);
    }

    /** Everybody but CellFuse. */
    static List<Contender> peers() {
        return List.of(ONEDNN, ORT, PYTORCH);
    }
}
