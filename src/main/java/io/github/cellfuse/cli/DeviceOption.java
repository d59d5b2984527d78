package io.github.cellfuse.cli;

import io.github.cellfuse.AutoDevice;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.Plan;
import io.github.cellfuse.Tier;
import io.github.cellfuse.WeightPrecision;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The options that select the device and how it computes; a mixin of every command that computes. Only
 * {@code --weights} changes bits.
 */
public final class DeviceOption {
    private static final String AUTO = "auto", ALL = "all", SELECTED = "selected by --device";

    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            defaultValue = AUTO,
            completionCandidates = CompletedValues.Devices.class,
            description = "The device: auto, java, reference, opencl, opencl:P or opencl:P.D (device D of platform P;"
                    + " 'cellfuse devices' lists them). Default: ${DEFAULT-VALUE}, which chooses a GPU, or"
                    + " else another exact OpenCL device, or else java. A named device is never replaced by"
                    + " another one. 'run' also takes several, such as opencl:0.0,opencl:0.1, and all: every exact"
                    + " OpenCL device.")
    private String name = AUTO;

    @Option(
            names = "--plan",
            paramLabel = "PLAN",
            completionCandidates = CompletedValues.Plans.class,
            description =
                    "Force the plan of an OpenCL device: separate, fused, hoisted or sequence. It affects only the"
                            + " speed.")
    private Plan plan;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Worker threads of the java and reference devices. Default: one for each core.")
    private int threads;

    @Mixin
    private WeightsOption weights = new WeightsOption();

    /**
     * A chosen device.
     *
     * @param device the device
     * @param reason one line that says why it was chosen
     */
    public record Choice(Device device, String reason) {}

    /**
     * An engine on the chosen device.
     *
     * @param engine the open engine; the caller closes it
     * @param reason one line that says why its device was chosen
     */
    public record Opened(LstmEngine engine, String reason) {
        /** Returns whether the device has memory of its own, or at least may have it. */
        public boolean hasMemoryApart() {
            return infoOf(engine.device())
                    .filter(info -> info.kind() == DeviceInfo.Kind.GPU || info.kind() == DeviceInfo.Kind.ACCELERATOR)
                    .isPresent();
        }

        /** Returns what the device has memory for. */
        public DeviceInfo.Memory memory() {
            return memoryOf(engine.device());
        }

        /** Returns the engine's device with the reason. */
        public Choice choice() {
            return new Choice(engine.device(), reason);
        }
    }

    /** Returns what {@code device} has memory for. */
    public static DeviceInfo.Memory memoryOf(Device device) {
        return infoOf(device).map(DeviceInfo::memory).orElse(DeviceInfo.Memory.OF_PROCESS);
    }

    private static Optional<DeviceInfo> infoOf(Device device) {
        // First of all: a run on java must not load the drivers of OpenCL, which may be why it was chosen.
        return device instanceof Device.OpenCl
                ? Device.all().stream()
                        .filter(info -> info.device().equals(device))
                        .findFirst()
                : Optional.empty();
    }

    /** Opens {@code model} on the selected device, and says why this device was selected. */
    public Opened open(LstmModel model) {
        if (!isAuto()) {
            if (name.trim().equalsIgnoreCase(ALL) || name.contains(",")) {
                throw new InvalidInputException(
                        "--device: expected one device, found " + name + "; only run takes several");
            }
            Choice choice = new Choice(named(name), SELECTED);
            return new Opened(open(choice, model), choice.reason());
        }
        checkPlan(Device.auto().device());
        AutoDevice auto = AutoDevice.open(model, options());
        try {
            checkPlan(auto.device());
        } catch (InvalidInputException e) {
            auto.engine().close();
            throw new InvalidInputException(e.getMessage() + ": " + auto.reason(), e);
        }
        return new Opened(auto.engine(), auto.reason());
    }

    /**
     * Opens something on a device.
     *
     * @param <T> what is open then
     */
    public interface Opener<T> {
        /** Opens it on the device that {@link DeviceOption#open(LstmModel)} selects. */
        T open();

        /** Opens it on a device that was selected already. */
        T open(Choice choice);

        /** Returns the device. */
        Device device(T opened);

        /** Returns what the device promises. */
        Tier tier(T opened);

        /** Closes it. */
        void close(T opened);
    }

    /**
     * Opens {@code model} on the selected devices; see {@link #openAll(Opener, Consumer)}.
     *
     * @param say receives why a device is left out
     */
    public List<Opened> openAll(LstmModel model, Consumer<String> say) {
        return openAll(
                new Opener<>() {
                    @Override
                    public Opened open() {
                        return DeviceOption.this.open(model);
                    }

                    @Override
                    public Opened open(Choice choice) {
                        return new Opened(DeviceOption.this.open(choice, model), choice.reason());
                    }

                    @Override
                    public Device device(Opened opened) {
                        return opened.engine().device();
                    }

                    @Override
                    public Tier tier(Opened opened) {
                        return opened.engine().tier();
                    }

                    @Override
                    public void close(Opened opened) {
                        opened.engine().close();
                    }
                },
                say);
    }

    /**
     * Opens something on the selected devices: one, those of a list, or all exact OpenCL devices, for which
     * {@code java} steps in if there are none.
     *
     * @param say receives why a device is left out
     */
    public <T> List<T> openAll(Opener<T> opener, Consumer<String> say) {
        List<T> opened = new ArrayList<>();
        try {
            if (name.trim().equalsIgnoreCase(ALL)) {
                openExact(opener, opened, say);
            } else if (name.contains(",")) {
                for (String each : name.split(",", -1)) {
                    opened.add(opener.open(new Choice(named(each), SELECTED)));
                }
            } else {
                opened.add(opener.open());
            }
            checkDifferent(opener, opened);
        } catch (RuntimeException | Error e) {
            opened.forEach(opener::close);
            throw e;
        }
        return opened;
    }

    private <T> void openExact(Opener<T> opener, List<T> opened, Consumer<String> say) {
        for (DeviceInfo info : Device.all()) {
            if (!(info.device() instanceof Device.OpenCl)) {
                continue;
            }
            String left = info.device() + " is left out: ";
            if (info.obstacle().isPresent()) {
                say.accept(left + "it " + DeviceInfo.OBSTACLE + ": "
                        + info.obstacle().get());
                continue;
            }
            if (info.tier() != Tier.EXACT) {
                say.accept(left + "it isn't in the exact tier");
                continue;
            }
            try {
                T one = opener.open(new Choice(info.device(), info.kind() + ": " + info.name()));
                if (opener.tier(one) == Tier.EXACT) {
                    opened.add(one);
                } else {
                    opener.close(one);
                    say.accept(left + "it failed the opening self-test");
                }
            } catch (InvalidInputException e) {
                throw e; // the model or the options are wrong, and would be on every device
            } catch (CellFuseException e) {
                say.accept(left + e.getMessage());
            }
        }
        if (opened.isEmpty()) {
            opened.add(opener.open(new Choice(Device.JAVA, "no exact OpenCL device")));
        }
    }

    /** One device twice would only have half of its memory for each. */
    private static <T> void checkDifferent(Opener<T> opener, List<T> opened) {
        Set<Device> seen = new HashSet<>();
        for (T each : opened) {
            if (!seen.add(opener.device(each))) {
                throw new InvalidInputException(
                        "--device: expected different devices, found " + opener.device(each) + " twice");
            }
        }
    }

    /** Opens {@code model} on {@code java}, with the same options, when other devices have failed. */
    public LstmEngine openFallback(LstmModel model) {
        return LstmEngine.open(Device.JAVA, model, options().withoutPlan());
    }

    /**
     * Returns the device that {@link #open(LstmModel)} selects, for a command that opens several models on one device.
     */
    public Choice settle(LstmModel model) {
        Opened opened = open(model);
        Choice choice = opened.choice();
        opened.engine().close();
        return choice;
    }

    /** Opens {@code model} on a device that was already selected. */
    public LstmEngine open(Choice choice, LstmModel model) {
        checkPlan(choice.device());
        return LstmEngine.open(choice.device(), model, options());
    }

    /** Returns the arguments that select the same device and the same way of computing. */
    public List<String> arguments(Device device) {
        List<String> arguments = new ArrayList<>(List.of("--device", device.toString()));
        if (plan != null) {
            arguments.addAll(List.of("--plan", plan.name().toLowerCase(Locale.ROOT)));
        }
        if (threads > 0) {
            arguments.addAll(List.of("--threads", Integer.toString(threads)));
        }
        if (weights.precision() != WeightPrecision.F32) {
            arguments.addAll(List.of("--weights", weights.precision().toString()));
        }
        return arguments;
    }

    /** Returns the precision in which the weights are stored. */
    public WeightPrecision weights() {
        return weights.precision();
    }

    private EngineOptions options() {
        return new EngineOptions(Optional.ofNullable(plan), threads, weights.precision(), Optional.empty());
    }

    private boolean isAuto() {
        return name.trim().equalsIgnoreCase(AUTO);
    }

    private void checkPlan(Device device) {
        if (plan != null && !(device instanceof Device.OpenCl)) {
            throw new InvalidInputException("--plan applies to OpenCL devices only, not to " + device);
        }
    }

    private static Device named(String name) {
        try {
            return Device.parse(name);
        } catch (InvalidInputException e) {
            throw new InvalidInputException("--" + e.getMessage() + "; available devices: auto, " + present(), e);
        }
    }

    private static String present() {
        return Device.all().stream()
                .map(DeviceInfo::device)
                .map(Device::toString)
                .collect(Collectors.joining(", "));
    }
}
