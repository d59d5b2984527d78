package io.github.cellfuse.spark;

import io.github.cellfuse.AutoDevice;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.Tier;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/**
 * The device of a task. A device that Spark or the user chose is used, or there is an error: never another one.
 *
 * @param name {@code auto}, or the name of a device
 * @param gpu the address of the GPU that Spark scheduled for the task, if the device is {@code auto}
 */
record DeviceChoice(String name, Optional<String> gpu) {
    /** The name of the automatic choice. */
    static final String AUTO = "auto";

    /** What Spark calls GPUs. */
    private static final String RESOURCE = "gpu";

    /**
     * Returns the choice of a task.
     *
     * @param context the task; null outside of one
     */
    static DeviceChoice of(String name, TaskContext context) {
        ResourceInformation gpus =
                context == null ? null : context.resourcesJMap().get(RESOURCE);
        boolean isScheduled = gpus != null && gpus.addresses().length > 0;
        return new DeviceChoice(
                name, isScheduled && name.equals(AUTO) ? Optional.of(gpus.addresses()[0]) : Optional.empty());
    }

    /**
     * Throws if there can't be such a device anywhere.
     *
     * @throws InvalidInputException if the name is neither {@code auto} nor that of a device
     */
    static void check(String name) {
        if (!name.equals(AUTO)) {
            Device.parse(name);
        }
    }

    /**
     * Opens a model on the device.
     *
     * @throws CellFuseException if the device isn't here, or fails
     */
    LstmEngine open(LstmModel model, EngineOptions options) {
        if (!name.equals(AUTO)) {
            return LstmEngine.open(Device.parse(name), model, options);
        }
        if (gpu.isEmpty()) {
            return AutoDevice.open(model, options).engine();
        }
        DeviceInfo info = gpu(gpu.get(), Device.all(), Device.problems());
        LstmEngine engine = LstmEngine.open(info.device(), model, options);
        if (engine.tier() != Tier.EXACT) {
            engine.close();
            throw new CellFuseException("GPU " + gpu.get() + ", which Spark scheduled, is " + info.device() + " ("
                    + info.name() + "): expected the bits of every exact device, found a device of the tier "
                    + engine.tier() + "; name it as the device to use it nevertheless");
        }
        return engine;
    }

    /**
     * Returns the GPU at an address: the address i is that of the i-th GPU, counted over all platforms.
     *
     * @throws CellFuseException if there is none
     */
    static DeviceInfo gpu(String address, List<DeviceInfo> devices, List<String> problems) {
        List<DeviceInfo> gpus = devices.stream()
                .filter(info ->
                        info.kind() == DeviceInfo.Kind.GPU && info.obstacle().isEmpty())
                .toList();
        int index = address.matches("\\d{1,4}") ? Integer.parseInt(address) : -1;
        if (index < 0 || index >= gpus.size()) {
            String found = devices.stream()
                    .filter(info -> info.device() instanceof Device.OpenCl)
                    .map(info -> info.device() + " (" + info.kind() + ", " + info.name()
                            + info.obstacle()
                                    .map(reason -> ", " + DeviceInfo.OBSTACLE + ": " + reason)
                                    .orElse("")
                            + ")")
                    .collect(Collectors.joining(", "));
            throw new CellFuseException("Spark scheduled GPU " + address + " for this task: expected "
                    + (index < 0
                            ? "a number as its address, as the discovery script of the worker prints it"
                            : "at least " + (index + 1) + " OpenCL " + (index == 0 ? "GPU" : "GPUs") + " here")
                    + ", found " + gpus.size() + "; the OpenCL devices are: "
                    + (found.isEmpty() ? "none" : found)
                    + problems.stream().map(problem -> "; " + problem).collect(Collectors.joining()));
        }
        return gpus.get(index);
    }

    @Override
    public String toString() {
        return name + gpu.map(address -> ", GPU " + address).orElse("");
    }
}
