from pywats_client.converters import FileConverter


class Old(FileConverter):
    def convert(self, source, context):
        print "converting", source.path
