package io.github.cellfuse.bench.peers;

import io.github.cellfuse.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Who takes part, in the order of their turns. */
enum Contender {
    OURS("ours", "CellFuse", CellFusePeer::new, CellFuseTaggerPeer::new),
    ONEDNN("onednn", "oneDNN", OneDnnPeer::new, null),
    ORT("ort", "ONNX Runtime", OnnxRuntimePeer::new, OnnxRuntimeTaggerPeer::new),
    PYTORCH("pytorch", "PyTorch", PyTorchPeer::new, null);

    private final String key;
    private final String title;
    private final Function<Settings, Peer> opener;
    /** For whole graphs; null for a library that runs none. */
    private final Function<Settings, Peer> taggerOpener;

    Contender(String key, String title, Function<Settings, Peer> opener, Function<Settings, Peer> taggerOpener) {
        this.key = key;
        this.title = title;
        this.opener = opener;
        this.taggerOpener = taggerOpener;
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
        return (settings.task() == Task.TAGGER ? taggerOpener : opener).apply(settings);
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

    /** Who runs whole ONNX graphs. */
    boolean hasTagger() {
        return taggerOpener != null;
    }

    /** Everybody but CellFuse. */
    static List<Contender> peers() {
        return List.of(ONEDNN, ORT, PYTORCH);
    }
}
