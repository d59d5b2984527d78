package io.github.cellfuse.spi;

import java.lang.ref.Cleaner;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices that the program drops something that it should have closed, and logs a warning. With
 * {@code -Dcellfuse.leaks=true} the warning has the place that opened it. Thread safe.
 */
public final class DropWatch {
    private final Cleaner.Cleanable cleanable;

    private DropWatch(Cleaner.Cleanable cleanable) {
        this.cleanable = cleanable;
    }

    /**
     * Watches {@code object}, which the calling thread is opening. The other arguments must not refer to it, or it
     * could never be dropped.
     *
     * @param what names it in the warning, such as {@code "the java engine"}
     * @param consequence what becomes of what it holds, such as {@code "its threads end now"}
     * @param isClosed whether it has been closed, by itself or with its owner
     * @param release frees what can be freed without the object
     */
    public static DropWatch on(
            Object object, String what, String consequence, BooleanSupplier isClosed, Runnable release) {
        Throwable openedAt = Boolean.getBoolean("cellfuse.leaks") ? new Throwable("opened here") : null;
        return new DropWatch(Watches.watch(object, () -> {
            if (!isClosed.getAsBoolean()) {
                release.run();
                warn(what + " was dropped without close(); " + consequence, openedAt);
            }
        }));
    }

    private static void warn(String message, Throwable openedAt) {
        // Looked up only here: the devices on the host run in a named module that doesn't read SLF4J.
        Logger log = LoggerFactory.getLogger(DropWatch.class);
        if (openedAt == null) {
            log.warn("{}. -Dcellfuse.leaks=true tells where it was opened", message);
        } else {
            log.warn(message, openedAt);
        }
    }

    /** Ends the watch on what has been closed. Does nothing when repeated. */
    public void end() {
        cleanable.clean();
    }
}
